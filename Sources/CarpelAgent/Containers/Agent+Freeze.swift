import CarpelGuestProtocol

extension Agent {
    /// How long the kernel may take to stop processes, in milliseconds: one that waits for a disk has to come back first.
    private static let patience: UInt64 = 10_000
    private static let interval: UInt64 = 5

    func freeze(_ containers: [Container], _ done: @escaping (Result<GuestResponse, GuestFailure>) -> Void) {
        do throws(GuestFailure) {
            for container in containers {
                guard case .running = container.phase, !container.isBeingRemoved else {
                    throw GuestFailure(.invalidState, "container \(container.spec.id) is not running")
                }
            }
            for container in containers { try container.freeze() }
            waitUntilFrozen(containers, deadline: Clock.steady + Self.patience * 1_000_000, done)
        } catch {
            thaw(containers)
            done(.failure(error))
        }
    }

    private func waitUntilFrozen(
        _ containers: [Container], deadline: UInt64, _ done: @escaping (Result<GuestResponse, GuestFailure>) -> Void
    ) {
        guard let moving = containers.first(where: { !$0.cgroup.isFrozen }) else {
            let positions = containers.map { ($0.spec.id, $0.output.next) }
            return done(.success(.frozen(nextOutput: Dictionary(positions) { first, _ in first })))
        }
        guard Clock.steady < deadline else {
            thaw(containers)
            let message = "the processes of container \(moving.spec.id) do not stand still"
            return done(.failure(GuestFailure(.busy, message)))
        }
        loop.after(milliseconds: Self.interval) { [unowned self] in
            waitUntilFrozen(containers, deadline: deadline, done)
        }
    }

    private func thaw(_ containers: [Container]) {
        for container in containers {
            do throws(GuestFailure) { try container.thaw() } catch { log.error(error.message) }
        }
    }

    func thawContainers(clock: UInt64) throws(GuestFailure) {
        Clock.set(clock)
        for container in containers.values where container.isFrozen {
            if case .restored = container.phase { continue }
            try container.thaw()
        }
    }
}
