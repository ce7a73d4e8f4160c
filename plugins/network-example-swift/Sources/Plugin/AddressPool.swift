import CarpelPluginSDK

/// The addresses of the pods: `prefix`.2 to `prefix`.254. The host has `prefix`.1 on every tap device.
struct AddressPool {
    let prefix: String
    var gateway: String { "\(prefix).1" }

    static let empty = PluginError(.resourceExhausted, "addressPoolEmpty", "every address is in use")

    init(prefix: String) throws {
        let numbers = prefix.split(separator: ".", omittingEmptySubsequences: false)
        guard numbers.count == 3, numbers.allSatisfy({ UInt8($0).map(String.init) == String($0) }) else {
            throw PluginError(.invalidArgument, "prefixMalformed", "the prefix \(prefix) is not like 10.77.0")
        }
        self.prefix = prefix
    }

    func contains(_ address: String) -> Bool { all.contains(address) }

    func firstFree(except taken: Set<String>) -> String? { all.first { !taken.contains($0) } }

    /// `10.77.0.5` as `0a`, `4d`, `00` and `05`.
    func hexadecimalNumbers(of address: String) -> [String] {
        address.split(separator: ".").map { number in
            let digits = String(UInt8(number) ?? 0, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }
    }

    private var all: some Sequence<String> { (2...254).lazy.map { "\(prefix).\($0)" } }
}
