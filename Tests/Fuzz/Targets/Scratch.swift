import Foundation
import Glibc

/// A folder of this thread, in memory.
enum Scratch {
    private static var folder: String { "/dev/shm/carpel-fuzz-\(getpid())-\(pthread_self())" }

    static func make() throws -> String {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return folder
    }

    static func remove() { try? FileManager.default.removeItem(atPath: folder) }

    static func requireOnly(_ names: Set<String>, in folder: String) throws {
        let found = try FileManager.default.contentsOfDirectory(atPath: folder)
        try Finding.require(names.isSuperset(of: found), "files where none belong: \(found)")
    }
}
