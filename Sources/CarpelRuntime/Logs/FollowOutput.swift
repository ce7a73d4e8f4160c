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
    /// After how much of its buffer the guest may forget what it sent. It holds a container back that has filled all.
    private static let commitLength = 256 << 10

    private static let retryInterval = Duration.seconds(1)

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

    /// What the log does not take, since its disk is full, waits in the guest, and the container with it.
    private func copyUntilEnd(of id: String) async {
        while !Task.isCancelled {
            do {
                try await copyOutput(of: id)
                tellLosses(of: id)
                return
            } catch is CancellationError {
                return
            } catch {
                noteLogFailure(error, id)
                guard case .ready = state, containers[id] != nil else { return }
                try? await Task.sleep(for: Self.retryInterval)
            }
        }
    }

    private func copyOutput(of id: String) async throws {
        let guest = try running().guest
        let log = try openLog(id)
        var copied = 0
        for try await record in try await guest.output(of: id, from: log.place.sequence) {
            let lost = try log.append(record)
            copied += record.cost
            let isTold = note(lost, id)
            guard copied >= Self.commitLength || isTold || containers[id]?.logFailure != nil else { continue }
            copied = 0
            try await commit(id, log.place, to: guest)
        }
        try Task.checkCancellation()
        try await commit(id, log.place, to: guest)
        containers[id]?.log = nil
    }

    private func commit(_ id: String, _ place: LogPlace, to guest: any Guest) async throws {
        try await update(id) { $0.note(place) }
        try await guest.ask(.releaseOutput(container: id, before: place.sequence))
        guard containers[id]?.logFailure != nil else { return }
        containers[id]?.logFailure = nil
        logger.info("output is copied to the log again", metadata: ["container": "\(id.prefix(13))"])
    }

    /// It is tried again each second, and told once.
    private func noteLogFailure(_ error: any Error, _ id: String) {
        guard let container = containers[id], container.logFailure != "\(error)" else { return }
        containers[id]?.logFailure = "\(error)"
        logger.error("cannot copy output to the log", metadata: ["container": "\(id.prefix(13))", "cause": "\(error)"])
    }

    /// - Returns: whether it has been told.
    private func note(_ lost: LostOutput, _ id: String) -> Bool {
        guard lost != LostOutput() else { return false }
        if let sum = containers[id]?.losses.add(lost, at: .now) {
            warn(of: sum, id)
            return true
        }
        if containers[id]?.lossTimer == nil, let due = containers[id]?.losses.due {
            containers[id]?.lossTimer = Task { [weak self] in
                try? await Task.sleep(until: due)
                guard !Task.isCancelled else { return }
                await self?.tellLossesLate(of: id)
            }
        }
        return false
    }

    /// What is told is in the container's status, too.
    private func tellLossesLate(of id: String) async {
        tellLosses(of: id)
        guard let place = containers[id]?.log?.place else { return }
        try? await update(id) { $0.note(place) }
    }

    func tellLosses(of id: String) {
        containers[id]?.lossTimer?.cancel()
        containers[id]?.lossTimer = nil
        if let sum = containers[id]?.losses.takeRest(at: .now) { warn(of: sum, id) }
    }

    private func warn(of lost: LostOutput, _ id: String) {
        logger.warning(
            "output was lost while nobody listened",
            metadata: ["container": "\(id.prefix(13))", "records": "\(lost.records)", "bytes": "\(lost.bytes)"])
    }

    /// The container's log, open as long as something may come.
    func openLog(_ id: String) throws -> ContainerLog {
        let container = try container(id)
        if let log = container.log { return log }
        let record = container.record
        let log = try ContainerLog(
            path: record.logPath, notes: environment.paths.logNotes(self.id, id), from: record.logPlace,
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

extension ContainerRecord {
    /// As far as the record knows.
    var logPlace: LogPlace {
        LogPlace(
            sequence: UInt64(nextOutput), offset: nextOutput == 0 ? 0 : nil,
            lost: LostOutput(records: UInt64(lostRecords), bytes: UInt64(lostBytes)))
    }

    mutating func note(_ place: LogPlace) {
        nextOutput = Int64(place.sequence)
        lostRecords = Int64(place.lost.records)
        lostBytes = Int64(place.lost.bytes)
    }
}
