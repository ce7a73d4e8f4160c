import CLZ4
import CLinux
import CarpelGuestProtocol
import Glibc

/// The kernel modules in the initramfs, `/modules/NN-name.ko`, in the order in which they load, and those that few pods
/// need, `/modules/demand/NN-name.ko.lz4`.
enum Modules {
    static let folder = "/modules"

    /// Loads each and removes its file: the initramfs is memory.
    /// - Throws: The first failure, after having tried them all. A module without its device is none.
    static func load() throws(GuestFailure) { try loadAll(in: folder) }

    /// Loads what few pods need, from a folder of its own, unless that has been done.
    static func load(on demand: String) throws(GuestFailure) { try loadAll(in: "\(folder)/\(demand)") }

    private static func loadAll(in folder: String) throws(GuestFailure) {
        var first: GuestFailure?
        for name in Files.names(in: folder) where name.hasSuffix(plain) || name.hasSuffix(compressed) {
            do {
                try load("\(folder)/\(name)")
            } catch {
                if first == nil { first = error }
            }
        }
        if let first { throw first }
    }

    private static func load(_ path: String) throws(GuestFailure) {
        let result: Int32
        if path.hasSuffix(compressed) {
            result = try withDecompressed(path) { carpel_load_module_image($0.baseAddress, $0.count, "") }
        } else {
            let file = Descriptor(try check(open(path, O_RDONLY | O_CLOEXEC), "open \(path)"))
            result = carpel_load_module(file.number, "")
        }
        unlink(path)
        guard result != -EEXIST, result != -ENODEV else { return }
        try checkNegative(result, "load \(path)")
    }

    private static let plain = ".ko"
    private static let compressed = ".ko.lz4"

    /// Source: lz4's doc/lz4_Frame_format.md, "Legacy frame": a number, the length of the block, the block, which
    /// holds at most 8 MiB.
    private static func withDecompressed(
        _ path: String, _ body: (UnsafeRawBufferPointer) -> Int32
    ) throws(GuestFailure) -> Int32 {
        let (head, limit) = (8, 8 << 20)
        let content = try Files.read(path, limit: limit)
        // Anonymous memory, most of which is never touched.
        let memory = mmap(nil, limit, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let memory, memory != MAP_FAILED else { throw failure(errno, .system, "decompress \(path)") }
        defer { munmap(memory, limit) }
        let length = content.withUnsafeBytes { bytes -> Int32 in
            guard bytes.count > head, bytes.starts(with: [0x02, 0x21, 0x4C, 0x18]) else { return -1 }
            let block = UnsafeRawBufferPointer(rebasing: bytes[head...])
            let source = block.assumingMemoryBound(to: CChar.self).baseAddress
            return LZ4_decompress_safe(
                source, memory.assumingMemoryBound(to: CChar.self), Int32(block.count), Int32(limit))
        }
        guard length > 0 else { throw GuestFailure(.system, "\(path) is not a module compressed by lz4") }
        return body(UnsafeRawBufferPointer(start: memory, count: Int(length)))
    }
}
