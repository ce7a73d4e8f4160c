import CarpelGuestProtocol
import Glibc

extension Agent {
    /// What runs now, with what the containers have written as far as that is known soon.
    func stats(_ done: @escaping (GuestStats) -> Void) {
        let running = runningContainers
        writableLayers.measure(running.map { ($0.spec.id, $0.root.upper) }) { [unowned self] in
            done(collectStats())
        }
    }

    private var runningContainers: [Container] {
        containers.values.filter { if case .running = $0.phase { true } else { false } }
            .sorted { $0.spec.id < $1.spec.id }
    }

    private func collectStats() -> GuestStats {
        let containers = runningContainers.map { container in
            let id = container.spec.id
            return GuestStats.Container(
                id: id, usage: CgroupUsage(of: container.cgroup), writableLayer: writableLayers[id])
        }
        return GuestStats(
            time: Clock.now, pod: CgroupUsage(of: .pod), containers: containers,
            interfaces: InterfaceCounters.read(), machine: .now)
    }
}

extension GuestStats.Machine {
    fileprivate static var now: GuestStats.Machine {
        var memory: [Substring: UInt64] = [:]
        let text = String(decoding: (try? Files.read("/proc/meminfo")) ?? [], as: UTF8.self)
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count >= 2, let kibibytes = UInt64(words[1]) else { continue }
            memory[words[0]] = kibibytes << 10
        }
        return GuestStats.Machine(
            onlineCPUs: UInt32(clamping: sysconf(Int32(_SC_NPROCESSORS_ONLN))), memoryBytes: memory["MemTotal:"] ?? 0,
            availableMemoryBytes: memory["MemAvailable:"] ?? 0)
    }
}
