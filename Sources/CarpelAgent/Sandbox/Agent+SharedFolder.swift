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

    /// Mounts a device that the machine was given after its start.
    func mountSharedFolderLater(_ tag: String, _ done: @escaping (Result<Void, GuestFailure>) -> Void) {
        guard let configuration else {
            return done(.failure(GuestFailure(.invalidState, "the machine has not been configured yet")))
        }
        guard configuration.sharedFolder == nil else { return done(.success(())) }
        do throws(GuestFailure) { try Modules.load(on: "virtiofs") } catch { return done(.failure(error)) }
        devices.wait(until: { SharedFolderDevices.missing }) { [unowned self] missing in
            if let missing { return done(.failure(missing)) }
            mountSharedFolder(tag) { [unowned self] failure in
                if failure == nil { self.configuration?.sharedFolder = tag }
                done(failure.map { .failure($0) } ?? .success(()))
            }
        }
    }

    func unmountSharedFolder(_ done: @escaping (Result<Void, GuestFailure>) -> Void) {
        guard configuration?.sharedFolder != nil else { return done(.success(())) }
        guard containers.values.allSatisfy({ $0.spec.sharedPaths.isEmpty }) else {
            return done(.failure(GuestFailure(.busy, "a container has something of the shared folder mounted")))
        }
        let steps = Steps()
        steps.unmount(Sandbox.shared)
        run(steps) { [unowned self] failure in
            if failure == nil { configuration?.sharedFolder = nil }
            done(failure.map { .failure($0) } ?? .success(()))
        }
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

/// The machine's virtiofs device.
private enum SharedFolderDevices {
    private static let folder = "/sys/bus/virtio/devices"
    /// VIRTIO_CONFIG_S_DRIVER_OK of linux/virtio_config.h.
    private static let driverOK: UInt64 = 4

    /// What is missing, as long as its driver has not set it up: only then is its tag known.
    static var missing: GuestFailure? {
        let isThere = Files.names(in: folder).contains { name in
            // The number of the device's type: virtio 1.2, section 5.11.1.
            guard Files.line("\(folder)/\(name)/device") == "0x001a",
                let status = Files.line("\(folder)/\(name)/status")
            else { return false }
            return (UInt64(status.dropFirst("0x".utf8.count), radix: 16) ?? 0) & driverOK != 0
        }
        return isThere ? nil : GuestFailure(.notFound, "the machine has no virtiofs device")
    }
}
