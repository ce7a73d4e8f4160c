import CarpelCore
import CarpelGuestProtocol

extension PodSandbox {
    /// How long the last of a container's output may take to arrive.
    private static let drainTimeout = Duration.seconds(5)

    /// Waits until the last of a container's output is in its log; what the log does not take is counted.
    func drain(_ id: String, from running: RunningPod?) async {
        guard let follower = containers[id]?.follower else { return }
        try? await withDeadline(Self.drainTimeout, reason: "drainTimeout", "read the last output") {
            try await follower.end.wait()
        }
        follower.task.cancel()
        tellLosses(of: id)
        guard containers[id]?.logFailure != nil, let guest = running?.guest else { return }
        await follower.task.value
        await countUnwritten(id, on: guest)
    }

    /// What waited for room in the log goes with its machine.
    private func countUnwritten(_ id: String, on guest: any Guest) async {
        guard let container = containers[id] else { return }
        let place = container.log?.place ?? container.record.logPlace
        do {
            let end = try await withDeadline(Self.drainTimeout, reason: "drainTimeout", "count the last output") {
                try await Self.passOver(place, of: id, on: guest)
            }
            guard end != place else { return }
            logger.error(
                "output is lost, since its log could not be written",
                metadata: [
                    "container": "\(id.prefix(13))", "records": "\(end.lost.records - place.lost.records)",
                    "bytes": "\(end.lost.bytes - place.lost.bytes)",
                ])
            try await update(id) { $0.note(end) }
        } catch {
            logger.error(
                "output is lost, and nobody knows how much",
                metadata: ["container": "\(id.prefix(13))", "cause": "\(error)"])
        }
    }

    /// - Returns: the place behind the container's last output, with all of it counted as lost.
    private static func passOver(_ start: LogPlace, of id: String, on guest: any Guest) async throws -> LogPlace {
        var place = start
        for try await record in try await guest.output(of: id, from: place.sequence) {
            place = place.passing(lost: record)
            // The container's last words may be waiting for room in the guest.
            try await guest.ask(.releaseOutput(container: id, before: place.sequence))
        }
        return place
    }
}
