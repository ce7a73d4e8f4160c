import CarpelGuestProtocol
import Glibc

/// The image layers that are mounted, each once however many containers stand on it.
final class Layers {
    private struct Mounted {
        var path: String
        var users: Int
    }

    private var mounted: [String: Mounted] = [:]
    private var next = 0

    /// The directory with the layer's files. Every use is given back by `release`.
    func use(_ serial: String, device: String) throws(GuestFailure) -> String {
        if let layer = mounted[serial] {
            mounted[serial]?.users += 1
            return layer.path
        }
        // Short names: an overlay's options, all of its layers, have to fit one page.
        let path = "/l/\(String(next, radix: 36))"
        try Files.makeDirectory(path)
        do {
            try check(
                mount(device, path, "erofs", UInt(MS_RDONLY | MS_NODEV), nil), .mountFailed, "mount layer \(serial)")
        } catch {
            rmdir(path)
            throw error
        }
        next += 1
        mounted[serial] = Mounted(path: path, users: 1)
        return path
    }

    /// Uses all of them or none.
    func use(_ serials: [String], devices: [String: String]) throws(GuestFailure) -> [String] {
        var folders: [String] = []
        do throws(GuestFailure) {
            for serial in serials {
                guard let device = devices[serial] else { throw GuestFailure(.diskMissing, "no disk \(serial)") }
                folders.append(try use(serial, device: device))
            }
            return folders
        } catch {
            for serial in serials.prefix(folders.count) { release(serial) }
            throw error
        }
    }

    func release(_ serial: String) {
        guard var layer = mounted[serial] else { return }
        layer.users -= 1
        mounted[serial] = layer
        guard layer.users == 0 else { return }
        mounted[serial] = nil
        if umount2(layer.path, 0) < 0 { umount2(layer.path, Int32(MNT_DETACH)) }
        rmdir(layer.path)
    }
}

/// A container's root: its image's layers and, on top, what it writes.
struct RootFileSystem {
    let path: String
    private let scratch: String
    private let layers: [String]

    /// Mounts the root of container `id` as an overlay.
    static func mount(
        _ id: String, layers: [String], devices: [String: String], pool: Layers
    ) throws(GuestFailure) -> RootFileSystem {
        guard !layers.isEmpty else { throw GuestFailure(.invalidArgument, "container \(id) has no layers") }
        let root = RootFileSystem(
            path: "\(Sandbox.folder)/containers/\(id)", scratch: "\(Sandbox.scratch)/containers/\(id)", layers: layers)
        let folders = try pool.use(layers, devices: devices)
        do throws(GuestFailure) {
            try root.mountOverlay(of: folders)
            return root
        } catch {
            for serial in layers { pool.release(serial) }
            rmdir(root.path)
            throw error
        }
    }

    /// The directory with what the container has written.
    var upper: String { "\(scratch)/upper" }

    private func mountOverlay(of folders: [String]) throws(GuestFailure) {
        let work = "\(scratch)/work"
        for folder in [path, upper, work] { try Files.makeDirectory(folder) }
        // The top layer comes first.
        let lower = folders.reversed().joined(separator: ":")
        try check(
            Glibc.mount("overlay", path, "overlay", 0, "lowerdir=\(lower),upperdir=\(upper),workdir=\(work)"),
            .mountFailed, "mount the overlay on \(path)")
    }

    /// Unmounts it and gives its layers back.
    /// - Returns: The directory with what the container has written, for removal; nil if there is none.
    func unmount(pool: Layers) -> String? {
        if umount2(path, 0) < 0 { umount2(path, Int32(MNT_DETACH)) }
        rmdir(path)
        for layer in layers { pool.release(layer) }
        // Under another name, so that a container of the same id can start afresh at once.
        let removed = "\(Sandbox.scratch)/removed-\(Clock.steady)"
        return rename(scratch, removed) == 0 ? removed : nil
    }
}
