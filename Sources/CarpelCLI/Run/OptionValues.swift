import CarpelCore

/// The error for an option's value that means nothing.
func invalid(_ option: String, _ value: String, _ wanted: String) -> CarpelError {
    CarpelError(.invalidArgument, "invalidOption", "\(option) \"\(value)\" is not \(wanted)")
}

/// The values of a repeatable option, each `key=value`.
///
/// - Throws: `CarpelError` with `.invalidArgument`.
func pairs(_ options: [String], option: String) throws -> [String: String] {
    try options.reduce(into: [:]) { pairs, text in
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty else { throw invalid(option, text, "key=value") }
        pairs[String(parts[0])] = String(parts[1])
    }
}

/// A size such as `10Gi`, in bytes.
///
/// - Throws: `CarpelError` with `.invalidArgument`.
func capacityBytes(_ quantity: String, option: String) throws -> Int64 {
    guard let count = ByteCount(quantity: quantity), count.bytes > 0 else {
        throw invalid(option, quantity, "a quantity such as 512Mi or 10Gi")
    }
    return count.bytes
}
