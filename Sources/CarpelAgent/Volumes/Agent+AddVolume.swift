import CLinux
import CarpelGuestProtocol
import Glibc

extension Agent {
    func addVolume(_ wanted: GuestVolume, _ done: @escaping (Result<Void, GuestFailure>) -> Void) {
        if let volume = volumes[wanted.name] {
            guard volume.volume == wanted else {
                return done(.failure(GuestFailure(.alreadyExists, "another volume is called \(wanted.name)")))
            }
            // One that is being prepared tells by then whether it is.
            return volume.enqueue { finished in
                let isReady = volume.isReady
                finished()
                done(isReady ? .success(()) : .failure(GuestFailure(.invalidState, "\(wanted.name) is gone")))
            }
        }
        let volume = Volume(wanted)
        do throws(GuestFailure) {
            guard configuration != nil else {
                throw GuestFailure(.invalidState, "the machine has not been configured yet")
            }
            try volume.checkName()
        } catch {
            return done(.failure(error))
        }
        volumes[wanted.name] = volume
        volume.enqueue { [unowned self] finished in
            prepare(volume) { [unowned self] failure in
                volume.isReady = failure == nil
                if failure != nil { volumes[wanted.name] = nil }
                finished()
                done(failure.map { .failure($0) } ?? .success(()))
            }
        }
    }

    private func prepare(_ volume: Volume, _ done: @escaping (GuestFailure?) -> Void) {
        switch volume.volume.source {
        case .disk(let serial, let fileSystem):
            withDisk(serial, of: volume, done) { [unowned self] in mount(volume, fileSystem, on: $0, done) }
        case .block(let serial):
            withDisk(serial, of: volume, done) { _ in done(nil) }
        case .memory(let limit):
            let steps = Steps()
            steps.makeDirectory(volume.path)
            let size = limit.map { ",size=\(max($0, 1))" } ?? ""
            steps.mount("tmpfs", on: volume.path, volume.volume.readOnly ? MS_RDONLY : 0, "mode=0777\(size)")
            run(steps, done)
        case .scratch:
            bindScratchFolder(of: volume, done)
        }
    }

    private func withDisk(
        _ serial: String, of volume: Volume, _ done: @escaping (GuestFailure?) -> Void,
        _ body: @escaping (String) -> Void
    ) {
        devices.wait(until: { BlockDevices.missing([serial]) }) { missing in
            guard missing == nil, let device = BlockDevices.find(serial: serial) else { return done(missing) }
            volume.device = device
            body(device)
        }
    }

    /// As containers get it from a kubelet: anybody may write, and with devices, which the scratch disk is without.
    private func bindScratchFolder(of volume: Volume, _ done: @escaping (GuestFailure?) -> Void) {
        do throws(GuestFailure) {
            try Files.makeDirectory(volume.scratchFolder)
            try check(chmod(volume.scratchFolder, 0o777), "open \(volume.scratchFolder) to everybody")
        } catch {
            return done(error)
        }
        let steps = Steps()
        steps.makeDirectory(volume.path)
        steps.mount(nil, from: volume.scratchFolder, on: volume.path, MS_BIND)
        steps.mount(nil, on: volume.path, MS_BIND | MS_REMOUNT | MS_NOATIME | (volume.volume.readOnly ? MS_RDONLY : 0))
        run(steps, done)
    }

    private func mount(
        _ volume: Volume, _ fileSystem: String, on device: String, _ done: @escaping (GuestFailure?) -> Void
    ) {
        guard let kind = DiskFileSystem(rawValue: fileSystem) else {
            return done(GuestFailure(.invalidArgument, "\(fileSystem) is not a file system of volumes: ext4 or xfs"))
        }
        do throws(GuestFailure) {
            try kind.load()
        } catch {
            return done(error)
        }
        guard volume.volume.readOnly else {
            return run(kind.mounting(device, at: volume.path)) { [unowned self] failure in
                guard failure == nil else { return done(failure) }
                grow(volume) { [log] failure in
                    // It can be used as it is.
                    if let failure { log.error(failure.message) }
                    done(nil)
                }
            }
        }
        run(kind.mountingReadOnly(device, at: volume.path, recovers: true)) { [unowned self] failure in
            // What was not unmounted has a journal to be replayed, which a disk that cannot be written does not let.
            guard let failure, failure.errno == EROFS || failure.errno == EACCES else { return done(failure) }
            run(kind.mountingReadOnly(device, at: volume.path, recovers: false), done)
        }
    }

    /// Grows the volume's file system to its disk.
    func grow(_ volume: Volume, _ done: @escaping (GuestFailure?) -> Void) {
        guard let fileSystem = volume.fileSystem else { return done(nil) }
        let steps = Steps()
        steps.grow(volume.path, fileSystem: fileSystem)
        run(steps, done)
    }
}

/// The file systems that volumes can have.
enum DiskFileSystem: String {
    case ext4, xfs

    func load() throws(GuestFailure) {
        if self == .xfs { try Modules.load(on: "xfs") }
    }

    /// `discard`: what is deleted in a volume is given back to the host.
    func mounting(_ device: String, at path: String) -> Steps {
        let options =
            switch self {
            case .ext4: "discard,errors=remount-ro"
            // A volume and its clone have the same identity, and may well be in one pod.
            case .xfs: "discard,nouuid"
            }
        return steps(device, path, 0, options)
    }

    /// - Parameter recovers: Whether a journal that has something to replay is replayed.
    func mountingReadOnly(_ device: String, at path: String, recovers: Bool) -> Steps {
        let options =
            switch self {
            case .ext4: recovers ? "" : "noload"
            case .xfs: recovers ? "nouuid" : "nouuid,norecovery"
            }
        return steps(device, path, MS_RDONLY, options)
    }

    private func steps(_ device: String, _ path: String, _ flags: Int, _ options: String) -> Steps {
        let steps = Steps()
        steps.makeDirectory(path)
        steps.mount(rawValue, from: device, on: path, flags, options)
        return steps
    }
}
