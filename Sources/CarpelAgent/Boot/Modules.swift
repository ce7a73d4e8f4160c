import CLinux
import CarpelGuestProtocol
import Glibc

/// The kernel modules in the initramfs, `/modules/NN-name.ko`, in the order in which they load.
enum Modules {
    static let folder = "/modules"

    /// Loads each and removes its file: the initramfs is memory.
    /// - Throws: The first failure, after having tried them all. A module without its device is none.
    static func load() throws(GuestFailure) {
        var first: GuestFailure?
        for name in Files.names(in: folder) {
            do {
                try load("\(folder)/\(name)")
            } catch {
                if first == nil { first = error }
            }
        }
        if let first { throw first }
    }

    private static func load(_ path: String) throws(GuestFailure) {
        let file = Descriptor(try check(open(path, O_RDONLY | O_CLOEXEC), "open \(path)"))
        let result = carpel_load_module(file.number, "")
        unlink(path)
        guard result != -EEXIST, result != -ENODEV else { return }
        try checkNegative(result, "load \(path)")
    }
}
