import CLinux
import CarpelGuestProtocol
import Glibc

extension Agent {
    /// How long the kernel may take to end processes that have been killed.
    private static let patience: UInt64 = 10_000

    func remove(_ id: String, _ done: @escaping (Result<Void, GuestFailure>) -> Void) {
        guard let container = containers[id] else { return done(.success(())) }
        guard !container.isBeingRemoved else {
            return done(.failure(GuestFailure(.invalidState, "container \(id) is being removed")))
        }
        container.isBeingRemoved = true
        container.cgroup.killAll()
        waitUntilEmpty(container) { [unowned self] in
            guard !container.cgroup.isPopulated else {
                container.isBeingRemoved = false
                return done(.failure(GuestFailure(.invalidState, "the processes of \(id) do not end")))
            }
            releaseShared(of: container) { [unowned self] in done(dismantle(container)) }
        }
    }

    /// A killed process goes when the kernel comes to it; its cgroup tells when the last one has.
    private func waitUntilEmpty(_ container: Container, _ done: @escaping () -> Void) {
        guard container.cgroup.isPopulated else { return loop.later(done) }
        var watch: FileWatch?
        let timer = loop.after(milliseconds: Self.patience) {
            watch = nil
            done()
        }
        let check = { [unowned loop] in
            guard watch != nil, !container.cgroup.isPopulated else { return }
            watch = nil
            loop.cancel(timer)
            loop.later(done)
        }
        watch = try? files.watch("\(container.cgroup.path)/cgroup.events", check)
        check()
    }

    private func dismantle(_ container: Container) -> Result<Void, GuestFailure> {
        container.isBeingRemoved = false
        do throws(GuestFailure) {
            container.memoryWatch = nil
            try container.cgroup.remove()
            container.output.close()
            containers[container.spec.id] = nil
            if let written = container.root.unmount(pool: layers) { removeTree(written) }
            for image in container.images.keys { images.release(image, pool: layers) }
            return .success(())
        } catch {
            return .failure(error)
        }
    }

    /// Removes a directory of the scratch disk. Under another name first, so that a new one can take its place at once.
    func discard(_ path: String) {
        let removed = "\(Sandbox.scratch)/removed-\(Clock.steady)"
        if rename(path, removed) == 0 { removeTree(removed) }
    }

    /// In a process of its own: a container may have written millions of files.
    private func removeTree(_ path: String) {
        let pid = carpel_spawn_remover(path, -1)
        guard pid > 0 else { return log.error("cannot remove \(path): error \(-pid)") }
        processes.onExit(of: pid) { [log] code in
            if code != 0 { log.error("some of \(path) could not be removed") }
        }
    }
}
