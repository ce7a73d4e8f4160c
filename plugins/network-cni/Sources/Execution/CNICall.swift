import CarpelCore

/// One run of one CNI plugin.
struct CNICall: Sendable {
    let verb: CNIVerb
    /// The executable's name.
    let plugin: String
    let network: String
    /// What it reads.
    let input: JSONValue
    /// nil for the verbs that are about no pod.
    let attachment: Attachment?

    /// Whom a verb is about.
    struct Attachment: Sendable, Hashable {
        let containerID: String
        let interfaceName: String
        /// The namespace's path; empty if it is gone.
        let namespace: String
        /// `KEY=value;KEY=value`.
        let arguments: String
    }
}

/// What a CNI plugin has left.
struct CNIOutcome: Sendable {
    let output: [UInt8]
    let status: Status
    /// The beginning of what it wrote to stderr.
    let words: String

    enum Status: Sendable, Equatable {
        case exited(Int32)
        case signalled(Int32)
    }
}
