import CarpelAPI

/// What pods and containers have used in the last minute, from what the daemon answered.
struct UsageHistory: Sendable {
    struct Row: Sendable {
        let id: String
        /// Empty for a pod.
        let podID: String
        let name: String
        /// Cores and bytes, a value for each answer but the first.
        var cpu: [Double] = []
        var memory: [Double] = []
        var limit: UInt64?
        /// Of a pod: what its machine takes beside the guest's memory.
        var overhead: UInt64?
        fileprivate var last: (time: Int64, usage: UInt64)?

        var cores: Double { cpu.last ?? 0 }
        var bytes: UInt64 { UInt64(memory.last ?? 0) }
    }

    enum Order: Sendable {
        case cpu, memory
    }

    /// Values kept for each row.
    static let length = 60

    private(set) var rows: [String: Row] = [:]

    /// Takes an answer in. What is not in it any more is forgotten.
    mutating func note(_ stats: [PodSandboxStats]) {
        var next: [String: Row] = [:]
        for pod in stats {
            guard let attributes = pod.attributes, let linux = pod.linux else { continue }
            let name = attributes.metadata?.name ?? HumanText.shortID(attributes.id)
            var row = rows[attributes.id] ?? Row(id: attributes.id, podID: "", name: name)
            row.note(linux.cpu, linux.memory)
            row.overhead = pod.carpel?.machine?.overheadBytes
            next[row.id] = row
            for container in linux.containers {
                guard let attributes = container.attributes else { continue }
                let name = attributes.metadata?.name ?? HumanText.shortID(attributes.id)
                var inner = rows[attributes.id] ?? Row(id: attributes.id, podID: row.id, name: name)
                inner.note(container.cpu, container.memory)
                next[inner.id] = inner
            }
        }
        rows = next
    }

    /// Pods, each with its containers behind it, those that use the most first.
    func sorted(by order: Order) -> [Row] {
        let all = rows.values.sorted { left, right in
            let (first, second) = order == .cpu ? (left.cores, right.cores) : (Double(left.bytes), Double(right.bytes))
            return first == second ? left.name < right.name : first > second
        }
        return all.filter(\.podID.isEmpty).flatMap { pod in [pod] + all.filter { $0.podID == pod.id } }
    }
}

extension UsageHistory.Row {
    fileprivate mutating func note(_ cpu: CpuUsage?, _ memory: MemoryUsage?) {
        if let working = memory?.workingSetBytes?.value {
            self.memory = (self.memory + [Double(working)]).suffix(UsageHistory.length)
            limit = memory?.availableBytes.map { $0.value &+ working }
        }
        guard let cpu, let usage = cpu.usageCoreNanoSeconds?.value else { return }
        defer { last = (cpu.timestamp, usage) }
        guard let last, cpu.timestamp > last.time, usage >= last.usage else { return }
        let cores = Double(usage - last.usage) / Double(cpu.timestamp - last.time)
        self.cpu = (self.cpu + [cores]).suffix(UsageHistory.length)
    }
}
