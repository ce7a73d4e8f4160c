import CLinux
import CarpelGuestProtocol
import Glibc

extension Agent {
    /// How long the kernel may hold on to a disk whose file system has been unmounted.
    private static let patience: UInt64 = 5_000_000_000

    func removeVolume(_ name: String, _ done: @escaping (Result<Void, GuestFailure>) -> Void) {
        guard let volume = volumes[name] else { return done(.success(())) }
        volume.enqueue { [unowned self] finished in
            remove(volume) { failure in
                finished()
                done(failure.map { .failure($0) } ?? .success(()))
            }
        }
    }

    private func remove(_ volume: Volume, _ done: @escaping (GuestFailure?) -> Void) {
        // It may have gone while this waited.
        guard volumes[volume.name] === volume else { return done(nil) }
        if let user = user(of: volume) {
            return done(GuestFailure(.busy, "container \(user.spec.id) uses the volume \(volume.name)"))
        }
        guard !volume.isFrozen else {
            return done(GuestFailure(.busy, "the volume \(volume.name) is frozen; thaw it first"))
        }
        let steps = Steps()
        if !volume.isBlock { steps.unmount(volume.path) }
        run(steps) { [unowned self] failure in
            guard failure == nil else {
                return done(failure.map { GuestFailure(.busy, $0.message, errno: $0.errno) })
            }
            waitUntilFree(volume, deadline: Clock.steady + Self.patience) { [unowned self] failure in
                guard failure == nil else { return done(failure) }
                rmdir(volume.path)
                if volume.volume.source == .scratch { discard(volume.scratchFolder) }
                volumes[volume.name] = nil
                done(nil)
            }
        }
    }

    /// A container that has or will have the volume.
    private func user(of volume: Volume) -> Container? {
        containers.values.first { container in
            switch container.phase {
            case .created, .starting, .running, .restored: container.spec.uses(volume: volume.name)
            case .exited: false
            }
        }
    }

    /// Unmounted here, it may still be mounted in the namespace of a process that is just ending. Exclusive use of
    /// its disk is what the kernel grants when the last mount is gone.
    private func waitUntilFree(_ volume: Volume, deadline: UInt64, _ done: @escaping (GuestFailure?) -> Void) {
        guard let device = volume.device else { return done(nil) }
        let file = open(device, O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC)
        if file >= 0 { close(file) }
        guard file < 0, errno == EBUSY else { return done(nil) }
        guard Clock.steady < deadline else {
            return done(GuestFailure(.busy, "somebody in the machine still uses the disk of \(volume.name)"))
        }
        loop.after(milliseconds: 10) { [unowned self] in waitUntilFree(volume, deadline: deadline, done) }
    }
}

extension ContainerSpec {
    func uses(volume name: String) -> Bool {
        let isMounted = mounts.contains { mount in
            if case .volume(name, _) = mount.source { true } else { false }
        }
        return isMounted || devices.contains { $0.volume == name }
    }
}
