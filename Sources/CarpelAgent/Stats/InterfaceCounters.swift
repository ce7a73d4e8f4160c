import CarpelGuestProtocol

/// Source: proc_pid_net(5), "/proc/net/dev".
enum InterfaceCounters {
    static func read() -> [GuestStats.Interface] { parse((try? Files.read("/proc/net/dev")) ?? []) }

    /// Two lines of headings, and then a line an interface: its name, eight numbers of what it received and eight of
    /// what it sent.
    static func parse(_ content: [UInt8]) -> [GuestStats.Interface] {
        String(decoding: content, as: UTF8.self).split(separator: "\n").dropFirst(2).compactMap { line in
            guard let colon = line.lastIndex(of: ":") else { return nil }
            let name = line[..<colon].drop { $0 == " " }
            let numbers = line[line.index(after: colon)...].split(separator: " ").compactMap { UInt64($0) }
            guard name != "lo", numbers.count >= 16 else { return nil }
            return GuestStats.Interface(
                name: String(name), received: traffic(numbers[0..<4]), sent: traffic(numbers[8..<12]))
        }
    }

    private static func traffic(_ numbers: ArraySlice<UInt64>) -> GuestStats.Traffic {
        let first = numbers.startIndex
        return GuestStats.Traffic(
            bytes: numbers[first], packets: numbers[first + 1], errors: numbers[first + 2], dropped: numbers[first + 3])
    }
}
