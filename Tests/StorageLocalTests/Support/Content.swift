import Foundation
import TestSupport

@testable import StorageLocal

/// Writes bytes that compress, repeat and compare badly, always the same for a seed.
func fill(_ path: String, from offset: Int64 = 0, count: Int, seed: UInt64) throws {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    let words = (0..<count / 8).map { _ -> UInt64 in
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
    try words.withUnsafeBytes { try OpenFile(path, O_WRONLY).write($0, at: offset) }
}

func expectSame(_ one: String, _ other: String) async throws { try await shell("cmp \"$1\" \"$2\"", one, other) }

func allocated(_ path: String) throws -> Int64 { try fileStatus(path)?.allocatedBytes ?? 0 }
func length(_ path: String) throws -> Int64 { Int64(try fileStatus(path)?.st_size ?? -1) }
func permissions(_ path: String) throws -> mode_t { (try fileStatus(path)?.st_mode ?? 0) & 0o7777 }

/// Has QEMU compare a disk's guest-visible content with another's.
func expectSameDisk(_ one: String, _ other: String, _ format: DiskFormat) async throws {
    try await shell("qemu-img compare -f \"$3\" -F \"$3\" \"$1\" \"$2\"", one, other, format.rawValue)
}

/// Has the tools of a disk's format and file system examine it.
func expectSound(_ path: String, _ content: VolumeContent) async throws {
    let raw: String
    switch content.format {
    case .raw: raw = path
    case .qcow2:
        try await shell("qemu-img check -q -f qcow2 \"$1\"", path)
        raw = "\(path).checked"
        try await shell("qemu-img convert -f qcow2 -O raw \"$1\" \"$2\"", path, raw)
    }
    defer { if raw != path { unlink(raw) } }
    switch content.fileSystem {
    case .ext4: try await shell("e2fsck -fn \"$1\"", raw)
    case .xfs: try await shell("xfs_repair -n \"$1\"", raw)
    case nil: break
    }
}
