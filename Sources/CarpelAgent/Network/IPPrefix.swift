import CarpelGuestProtocol
import Glibc

/// An IP address, and how much of it names its network.
struct IPPrefix: Equatable {
    let text: String
    /// 4 or 16, in network order.
    let bytes: [UInt8]
    let length: UInt8

    var family: UInt8 { UInt8(bytes.count == 4 ? AF_INET : AF_INET6) }

    /// `10.0.0.2/24`, `fd00::2/64`; without a length it is the whole address.
    init(_ text: String) throws(GuestFailure) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let bytes = Self.parse(parts[0]),
            let length = parts.count == 2 ? UInt8(parts[1]) : UInt8(bytes.count * 8),
            length <= bytes.count * 8
        else { throw GuestFailure(.invalidArgument, "\(text) is not an IP address with the length of a prefix") }
        self.text = text
        self.bytes = bytes
        self.length = length
    }

    private static func parse(_ text: String) -> [UInt8]? {
        for (family, count) in [(AF_INET, 4), (AF_INET6, 16)] {
            var bytes = [UInt8](repeating: 0, count: count)
            if inet_pton(family, text, &bytes) == 1 { return bytes }
        }
        return nil
    }
}
