import CarpelCore
import CarpelGuestProtocol
import Foundation

/// Copies a container's output into its log.
struct LogFollower {
    let task: Task<Void, Never>
    /// Set when nothing more will be copied.
    let end: Latch<Void>
}

extension PodSandbox {
    /// Bytes of output after which the guest may forget what it sent.
    private static let commitLength = 256 << 10

    /// Copies what the container writes into its log until its end.
    func follow(_ id: String) {
        guard let container = containers[id] else { return }
        let previous = container.follower
        previous?.task.cancel()
        let end = Latch<Void>()
        let task = Task {
            await previous?.task.value
            await copyUntilEnd(of: id)
            await end.set(())
        }
        containers[id]?.follower = LogFollower(task: task, end: end)
    }

    private func copyUntilEnd(of id: String) async {
        while !Task.isCancelled {
            do {
                return try await copyOutput(of: id)
            } catch is CancellationError {
                return
            } catch {
                guard case .ready = state, containers[id] != nil else { return }
                logger.error(
                    "cannot copy output to the log", metadata: ["container": "\(id.prefix(13))", "cause": "\(error)"])
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }

    private func copyOutput(of id: String) async throws {
        let guest = try running().guest
        let log = try openLog(id)
        var copied = 0
        for try await record in try await guest.output(of: id, from: log.place.sequence) {
            let lost = try log.append(record)
            copied += record.bytes.count
            guard copied >= Self.commitLength || lost != LostOutput() else { continue }
            warn(of: lost, id)
            copied = 0
            try await commit(id, log.place, to: guest)
        }
        try Task.checkCancellation()
        try await commit(id, log.place, to: guest)
        containers[id]?.log = nil
    }

    private func warn(of lost: LostOutput, _ id: String) {
        guard lost != LostOutput() else { return }
        logger.warning(
            "output was lost while nobody listened",
            metadata: ["container": "\(id.prefix(13))", "records": "\(lost.records)", "bytes": "\(lost.bytes)"])
    }

    private func commit(_ id: String, _ place: LogPlace, to guest: any Guest) async throws {
        try await update(id) {
            $0.nextOutput = Int64(place.sequence)
            $0.lostRecords = Int64(place.lost.records)
            $0.lostBytes = Int64(place.lost.bytes)
        }
        try await guest.ask(.releaseOutput(container: id, before: place.sequence))
    }

    /// The container's log, open as long as something may come.
    func openLog(_ id: String) throws -> ContainerLog {
        let container = try container(id)
        if let log = container.log { return log }
        let record = container.record
        let place = LogPlace(
            sequence: UInt64(record.nextOutput), offset: record.nextOutput == 0 ? 0 : nil,
            lost: LostOutput(records: UInt64(record.lostRecords), bytes: UInt64(record.lostBytes)))
        let log = try ContainerLog(
            path: record.logPath, notes: environment.paths.logNotes(self.id, id), from: place,
            rotation: hasOwnLog(record) ? environment.configuration.logs.rotation : nil)
        containers[id]?.log = log
        return log
    }

    /// Whether the log is a file of Carpel's own, since CRI named none. CRI's files are the kubelet's to rotate and to
    /// remove.
    func hasOwnLog(_ record: ContainerRecord) -> Bool {
        record.logPath.hasPrefix(environment.paths.pod(id) + "/")
    }
}
