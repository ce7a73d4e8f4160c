import CarpelGuestProtocol
import Glibc

extension Agent {
    /// The kernel sees what is plugged in, and leaves it offline. Each thing that is taken into use is a device event,
    /// which leads to the next.
    func takeUpHardware(
        virtualCPUs: Int, memoryBytes: UInt64, _ done: @escaping (Result<Void, GuestFailure>) -> Void
    ) {
        let missing = { Hardware.missing(virtualCPUs: virtualCPUs, memoryBytes: memoryBytes) }
        devices.wait(until: missing, patience: Hardware.patience) { missing in
            done(missing.map { .failure($0) } ?? .success(()))
        }
    }
}

/// The CPUs and the memory of the machine.
///
/// Source: https://docs.kernel.org/admin-guide/mm/memory-hotplug.html, https://docs.kernel.org/core-api/cpu_hotplug.html
enum Hardware {
    /// Milliseconds. An emulated machine takes some 300 for each CPU and each GiB.
    static let patience: UInt64 = 50_000
    private static let processors = "/sys/devices/system/cpu"
    private static let memory = "/sys/devices/system/memory"
    /// What firmware and tables take of the machine's memory. The least that can be plugged in is sixteen times as much.
    private static let firmware: UInt64 = 8 << 20

    /// Takes one CPU and what there is of memory into use, and says what is not there yet.
    static func missing(virtualCPUs: Int, memoryBytes: UInt64) -> GuestFailure? {
        let ranges = memoryRanges((try? Files.read("/proc/iomem")) ?? [])
        let blocks = areOnline(ranges)
        let offline = Files.names(in: processors).first {
            $0.hasPrefix("cpu") && Files.line("\(processors)/\($0)/online") == "0"
        }
        if let offline { try? Files.write("1", to: "\(processors)/\(offline)/online") }
        let online = sysconf(Int32(_SC_NPROCESSORS_ONLN))
        guard online >= virtualCPUs else {
            return GuestFailure(.invalidState, "\(online) of \(virtualCPUs) CPUs are online")
        }
        let bytes = ranges.reduce(0) { $0 + UInt64($1.count) }
        guard bytes + firmware >= memoryBytes else {
            return GuestFailure(.invalidState, "\(bytes) of \(memoryBytes) bytes of memory are there")
        }
        return blocks ? nil : GuestFailure(.invalidState, "not all of the memory is online")
    }

    /// Whether every block of the ranges is in use. Blocks appear some time after their range.
    private static func areOnline(_ ranges: [ClosedRange<UInt64>]) -> Bool {
        guard let size = Files.line("\(memory)/block_size_bytes").flatMap({ UInt64($0, radix: 16) }), size > 0 else {
            return false
        }
        var all = true
        for range in ranges {
            for block in range.lowerBound / size...range.upperBound / size {
                let file = "\(memory)/memory\(block)/state"
                if Files.line(file) == "offline" { try? Files.write("online", to: file) }
                if Files.line(file) != "online" { all = false }
            }
        }
        return all
    }

    /// The ranges that are memory: `00100000-0dffffff : System RAM`. What lies in them is indented.
    static func memoryRanges(_ content: [UInt8]) -> [ClosedRange<UInt64>] {
        String(decoding: content, as: UTF8.self).split(separator: "\n").compactMap { line in
            guard !line.hasPrefix(" "), line.hasSuffix(" : System RAM") else { return nil }
            let bounds = line.prefix { $0 != " " }.split(separator: "-").map { UInt64($0, radix: 16) }
            guard bounds.count == 2, let first = bounds[0], let last = bounds[1], last >= first else { return nil }
            return first...last
        }
    }
}
