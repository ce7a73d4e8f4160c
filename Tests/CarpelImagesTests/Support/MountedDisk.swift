import Foundation
import Glibc

/// A layer disk, mounted by the kernel while the value lives.
final class MountedDisk: Sendable {
    let path: String
    private let scratch: Scratch

    init(_ disk: String) async throws {
        scratch = try Scratch()
        path = "\(scratch.path)/mnt"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try await run("/bin/mount", ["-t", "erofs", "-o", "ro,loop", disk, path])
    }

    deinit { umount2(path, Int32(MNT_DETACH)) }

    func text(_ name: String) throws -> String { try String(contentsOfFile: "\(path)/\(name)", encoding: .utf8) }

    func status(_ name: String) -> stat? {
        var status = stat()
        return lstat("\(path)/\(name)", &status) == 0 ? status : nil
    }

    func attribute(_ attribute: String, of name: String) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        guard let getAttribute else { return nil }
        let count = getAttribute("\(path)/\(name)", attribute, &buffer, buffer.count)
        return count < 0 ? nil : Array(buffer[..<count])
    }
}

/// lgetxattr(2), which Swift's C library module leaves out.
private typealias GetAttribute =
    @convention(c) (UnsafePointer<CChar>, UnsafePointer<CChar>, UnsafeMutableRawPointer, Int) -> Int
private let getAttribute = dlsym(nil, "lgetxattr").map { unsafeBitCast($0, to: GetAttribute.self) }
