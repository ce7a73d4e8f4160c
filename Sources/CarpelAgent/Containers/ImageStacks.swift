import CarpelGuestProtocol
import Glibc

/// Images that containers have mounted, read-only, each once however many containers use it.
final class ImageStacks {
    private struct Mounted {
        var path: String
        var users: Int
    }

    private static let folder = "\(Sandbox.folder)/images"
    private var mounted: [[String]: Mounted] = [:]
    private var next = 0

    /// The directory with the image's files. Every use is given back by `release`.
    func use(_ layers: [String], devices: [String: String], pool: Layers) throws(GuestFailure) -> String {
        if let image = mounted[layers] {
            mounted[layers]?.users += 1
            return image.path
        }
        let folders = try pool.use(layers, devices: devices)
        // overlayfs wants two layers at least.
        guard folders.count > 1 else {
            mounted[layers] = Mounted(path: folders[0], users: 1)
            return folders[0]
        }
        let path = "\(Self.folder)/\(next)"
        do throws(GuestFailure) {
            try Files.makeDirectory(path)
            // The top layer comes first.
            let lower = folders.reversed().joined(separator: ":")
            try check(
                mount("overlay", path, "overlay", UInt(MS_RDONLY | MS_NODEV), "lowerdir=\(lower)"), .mountFailed,
                "mount the layers of an image")
        } catch {
            rmdir(path)
            for layer in layers { pool.release(layer) }
            throw error
        }
        next += 1
        mounted[layers] = Mounted(path: path, users: 1)
        return path
    }

    func release(_ layers: [String], pool: Layers) {
        guard var image = mounted[layers] else { return }
        image.users -= 1
        mounted[layers] = image
        guard image.users == 0 else { return }
        mounted[layers] = nil
        if layers.count > 1 {
            if umount2(image.path, 0) < 0 { umount2(image.path, Int32(MNT_DETACH)) }
            rmdir(image.path)
        }
        for layer in layers { pool.release(layer) }
    }
}
