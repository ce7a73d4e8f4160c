import CarpelAPI

/// Who is at the other end of a connection: for the words of errors, and what may come from it.
package struct Peer: Sendable {
    /// `the daemon`
    let name: String
    /// Bytes of a line.
    let maximumAnswerLength: Int

    package init(name: String, maximumAnswerLength: Int) {
        self.name = name
        self.maximumAnswerLength = maximumAnswerLength
    }

    package static let daemon = Peer(name: "the daemon", maximumAnswerLength: JSONRPC.maximumAnswerLength)
}
