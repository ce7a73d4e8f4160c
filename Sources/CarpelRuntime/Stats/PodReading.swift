import CarpelAPI
import CarpelCore
import CarpelGuestProtocol
import CarpelMachines

/// What was read of a pod at one time, from its guest and on the node.
struct PodReading: Sendable {
    let record: PodRecord
    /// Those that run, in the order of their ids.
    let containers: [(record: ContainerRecord, stats: GuestStats.Container)]
    let guest: GuestStats
    /// Nil if the machine ended meanwhile.
    let machine: MachineProcessUsage?
    /// The node's clock.
    let time: Int64
    /// `usageNanoCores` of containers by their ids, and of the pod by its own.
    let rates: [String: UInt64]
    /// Where the pod's writable layers lie on the node.
    let folder: String
}

extension PodSandbox {
    /// How long a guest may take to tell what it uses. It reads some files for each container.
    private static let readingTimeout = Duration.seconds(5)

    /// Asks the guest and the node what the pod uses.
    ///
    /// - Throws: `FAILED_PRECONDITION` if the pod is not ready; `DEADLINE_EXCEEDED`/`agentSilent` if its guest is stuck.
    func read() async throws -> PodReading {
        let running = try running()
        async let usage = try? running.machine.usage()
        let answer = try await translated("read what the pod uses") {
            try await running.guest.ask(.stats, within: Self.readingTimeout)
        }
        guard case .stats(let guest) = answer else {
            throw CarpelError(.internal, "unexpectedAnswer", "the agent did not answer with what it uses")
        }
        let machine = await usage
        var rates = [id: cpuRates.note(id, time: guest.time, usage: guest.pod.cpu.nanoseconds)]
        var known: [(record: ContainerRecord, stats: GuestStats.Container)] = []
        for stats in guest.containers {
            guard let record = containers[stats.id]?.record, record.isRunning else { continue }
            rates[stats.id] = cpuRates.note(stats.id, time: guest.time, usage: stats.usage.cpu.nanoseconds)
            known.append((record, stats))
        }
        cpuRates.keep(only: Set(rates.keys))
        return PodReading(
            record: record, containers: known, guest: guest, machine: machine, time: now(),
            rates: rates.compactMapValues { $0 }, folder: environment.paths.pod(id))
    }
}

extension Runtime {
    /// Reads the pods side by side. One that does not answer is left out, and so is one that is not ready.
    func readings(of wanted: [PodSandbox]) async -> [PodReading] {
        await withTaskGroup(of: PodReading?.self) { group in
            for pod in wanted {
                group.addTask {
                    guard case .ready = await pod.state else { return nil }
                    do {
                        return try await pod.read()
                    } catch {
                        pod.logger.warning("a pod is missing from a list of stats", metadata: ["cause": "\(error)"])
                        return nil
                    }
                }
            }
            return await group.reduce(into: []) { if let reading = $1 { $0.append(reading) } }
                .sorted { $0.record.createdAt > $1.record.createdAt }
        }
    }
}

extension CgroupUsage.CPU {
    var nanoseconds: UInt64 { usage &* 1000 }
}

extension CgroupUsage.Memory {
    /// As the kubelet defines it: what is used less the pages of files that nobody has used of late.
    var workingSet: UInt64 { usage - min(usage, inactiveFile) }
}
