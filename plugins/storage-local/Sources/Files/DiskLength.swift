import CarpelPluginSDK
import Glibc

/// How large a machine sees the disk that a file holds, in bytes.
func diskLength(_ path: String, _ format: DiskFormat) throws -> Int64 {
    let file = try OpenFile(path, O_RDONLY)
    switch format {
    case .raw: return Int64(try file.status().st_size)
    case .qcow2:
        // "QFI\xfb" and, at 24, the virtual size in big endian: docs/interop/qcow2.txt of QEMU.
        let header = try file.read(atMost: 32, at: 0)
        guard header.count == 32, header.starts(with: [0x51, 0x46, 0x49, 0xfb]) else {
            throw PluginError(.dataLoss, "diskDamaged", "\(path) does not begin as a qcow2 file does")
        }
        return Int64(clamping: header[24..<32].reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }
}
