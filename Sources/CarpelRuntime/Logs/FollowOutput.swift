import CarpelCore
import CarpelGuestProtocol

extension PodSandbox {
    /// Bytes of log after which the guest may forget what it sent.
    private static let commitLength: Int64 = 256 << 10

    /// Copies what the container writes into its log until its end.
    func follow(_ id: String) {
        guard let container = containers[id] else { return }
        let previous = container.follower
        previous?.cancel()
        containers[id]?.follower = Task {
            await previous?.value
            while !Task.isCancelled {
                do {
                    try await copyOutput(of: id)
                    return
                } catch is CancellationError {
                    return
                } catch {
                    guard case .ready = state, containers[id] != nil else { return }
                    logger.error(
                        "cannot copy output to the log",
                        metadata: ["container": "\(id.prefix(13))", "cause": "\(error)"])
                    try? await Task.sleep(for: .seconds(1))
                }
            }
        }
    }

    private func copyOutput(of id: String) async throws {
        let record = try container(id).record
        let guest = try running().guest
        let output = try await guest.output(of: id, from: UInt64(record.nextOutput))
        var log = try ContainerLog(path: record.logPath)
        var committed = record.logLength
        var next = UInt64(record.nextOutput)
        var isFirst = true
        for try await record in output {
            // What nobody noted comes again, unless the guest has dropped it: then the file has the only copy.
            if isFirst, record.sequence == next { log.truncate(to: committed) }
            isFirst = false
            if record.sequence > next {
                logger.warning(
                    "output was lost while nobody listened",
                    metadata: ["container": "\(id.prefix(13))", "records": "\(record.sequence - next)"])
            }
            try log.append([record])
            next = record.sequence + 1
            if log.length - committed >= Self.commitLength {
                committed = log.length
                try await commit(id, next: next, length: committed, to: guest)
            }
        }
        try Task.checkCancellation()
        try await commit(id, next: next, length: log.length, to: guest)
    }

    private func commit(_ id: String, next: UInt64, length: Int64, to guest: any Guest) async throws {
        try await update(id) {
            $0.nextOutput = Int64(next)
            $0.logLength = length
        }
        try await guest.ask(.releaseOutput(container: id, before: next))
    }
}
