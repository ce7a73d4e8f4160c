import CarpelGuestProtocol
import Glibc

extension Agent {
    /// Mounts what the host shares with the pod. What it holds is mounted on demand, so that files of different file
    /// systems of the host are in different ones here.
    ///
    /// Without devices: they would be this machine's, whatever their numbers mean to the host.
    func mountSharedFolder(_ tag: String, _ done: @escaping (GuestFailure?) -> Void) {
        do throws(GuestFailure) {
            try Modules.load(on: "virtiofs")
        } catch {
            return done(error)
        }
        let steps = Steps()
        steps.unmount(Sandbox.shared, MNT_DETACH)
        steps.makeDirectory(Sandbox.shared)
        steps.mount("virtiofs", from: tag, on: Sandbox.shared, MS_NODEV)
        run(steps, done)
    }

    /// Mounts what `container` shares with the host, if nobody has: once for the whole pod, since only within one
    /// mount locks hold and caches agree. Not in the agent's own process, which would wait for the host.
    func mountShared(of container: Container, _ done: @escaping (GuestFailure?) -> Void) {
        let paths = container.spec.sharedPaths
        guard !paths.isEmpty else { return done(nil) }
        let steps = Steps()
        for path in paths { steps.visit(path, inside: Sandbox.shared) }
        run(steps, done)
    }

    /// Lets go of what only `container` shares with the host, so that the host can have its file systems back.
    func releaseShared(of container: Container, _ done: @escaping () -> Void) {
        // All that is mounted there comes away with the part of the shared folder that holds it.
        let others = containers.values.filter { $0 !== container }.map(\.spec.sharedNames)
        let names = others.reduce(container.spec.sharedNames) { $0.subtracting($1) }
        guard !names.isEmpty else { return done() }
        let steps = Steps()
        for name in names.sorted() { steps.unmount("\(Sandbox.shared)/\(name)", MNT_DETACH) }
        // A host that has fallen silent is not waited for.
        run(steps, atMost: 2000, done)
    }
}
