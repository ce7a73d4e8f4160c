import CarpelCore

/// The keys that leave a container running: `ctrl-p,ctrl-q`, as docker writes them.
struct DetachKeys: Equatable {
    static let standard = "ctrl-p,ctrl-q"

    private let sequence: [UInt8]
    /// How many of them have come in a row.
    private var matched = 0

    /// - Parameter text: single characters and `ctrl-` with a letter or one of `@[\]^_`, with commas between them; empty
    ///   for none.
    /// - Throws: `CarpelError` with `.invalidArgument`.
    init(_ text: String) throws {
        sequence =
            try text.isEmpty
            ? []
            : text.split(separator: ",", omittingEmptySubsequences: false).map { key in
                guard let byte = Self.byte(of: String(key)) else {
                    throw invalid("--detach-keys", text, "keys such as ctrl-p,ctrl-q or a, or \"\" for none")
                }
                return byte
            }
    }

    private static func byte(of key: String) -> UInt8? {
        let bytes = Array(key.utf8)
        if bytes.count == 1, bytes[0] < 0x80 { return bytes[0] }
        guard key.hasPrefix("ctrl-"), bytes.count == 6 else { return nil }
        let letter = bytes[5]
        switch letter {
        case UInt8(ascii: "a")...UInt8(ascii: "z"): return letter - UInt8(ascii: "a") + 1
        case UInt8(ascii: "@"), UInt8(ascii: "[")...UInt8(ascii: "_"): return letter - UInt8(ascii: "@")
        default: return nil
        }
    }

    /// Takes what was typed.
    ///
    /// - Returns: what goes on to the container, where keys that may still become the sequence are held back, and
    ///   whether the sequence is complete.
    mutating func filter(_ input: [UInt8]) -> (passed: [UInt8], isComplete: Bool) {
        guard !sequence.isEmpty else { return (input, false) }
        var passed: [UInt8] = []
        for byte in input {
            if byte == sequence[matched] {
                matched += 1
                if matched == sequence.count { return (passed, true) }
                continue
            }
            passed += sequence[..<matched]
            matched = byte == sequence[0] ? 1 : 0
            if matched == 0 { passed.append(byte) }
            if matched == sequence.count { return (passed, true) }
        }
        return (passed, false)
    }
}
