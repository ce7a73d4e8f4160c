import CarpelPluginSDK

/// An id that no volume or snapshot has had: a name may be used again, and must not bring back what had it before.
func makeIdentifier() -> String {
    let digits = String(UInt64.random(in: .min ... .max), radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}

func isIdentifier(_ text: some StringProtocol) -> Bool {
    text.utf8.count == 16
        && text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
}

/// - Throws: ``PluginError`` with `nameInvalid`.
func checkName(_ name: String, of member: String) throws {
    let isValid =
        (1...128).contains(name.utf8.count)
        && name.utf8.allSatisfy {
            switch UnicodeScalar($0) {
            case "a"..."z", "A"..."Z", "0"..."9", "-", "_", ".": true
            default: false
            }
        }
    guard !isValid else { return }
    throw PluginError(
        .invalidArgument, "nameInvalid",
        "\(member) must be 1 to 128 letters, digits, '-', '_' and '.', and is \"\(name.prefix(140))\"")
}
