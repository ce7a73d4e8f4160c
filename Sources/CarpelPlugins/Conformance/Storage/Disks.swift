import CarpelPluginSDK
import Foundation

/// What a volume's disk holds: read and written as a machine would, between a publication and its end.
extension StorageUnderTest {
    /// Places that a copy that is cut short or shifted gets wrong.
    private static let places: [Int64] = [0, 4096, 1 << 20, (64 << 20) - 512, capacity - 4096]

    /// Writes what `word` stands for over the volume.
    ///
    /// - Throws: ``CheckSkipped`` if the disk is not raw.
    func write(_ word: String, to volume: String) async throws {
        try await withDisk(of: volume) { disk in
            for place in Self.places {
                let bytes = Self.bytes(of: word, at: place)
                guard pwrite(disk, bytes, bytes.count, Int(place)) == bytes.count else {
                    throw CheckFailure("cannot write the disk at \(place): \(String(cString: strerror(errno)))")
                }
            }
            fsync(disk)
        }
    }

    /// Writes over a part of the volume, so that a copy of it takes time.
    func fill(_ volume: String) async throws {
        try await withDisk(of: volume) { disk in
            let bytes = [UInt8](repeating: 0xa5, count: 1 << 20)
            for place in stride(from: 0, to: 64 << 20, by: bytes.count) {
                guard pwrite(disk, bytes, bytes.count, place) == bytes.count else {
                    throw CheckFailure("cannot write the disk at \(place): \(String(cString: strerror(errno)))")
                }
            }
        }
    }

    /// What has been written last; an empty text if nothing has.
    ///
    /// - Parameter words: what it may be.
    func read(_ words: [String], from volume: String) async throws -> String {
        try await withDisk(of: volume) { disk in
            let found = try Self.places.map { place in
                var bytes = [UInt8](repeating: 0xff, count: 512)
                guard pread(disk, &bytes, bytes.count, Int(place)) == bytes.count else {
                    throw CheckFailure("cannot read the disk at \(place): \(String(cString: strerror(errno)))")
                }
                if bytes.allSatisfy({ $0 == 0 }) { return "" }
                return words.first { Self.bytes(of: $0, at: place) == bytes } ?? "something else"
            }
            let all = Set(found)
            return all.count == 1 ? found[0] : "at \(Self.places): \(found)"
        }
    }

    func expectContent(_ word: String, of volume: String, among words: [String], _ when: String) async throws {
        let found = try await read(words, from: volume)
        try expect(
            found == word,
            "\(when) the disk must hold \"\(word)\", and holds \"\(found)\" (empty: it was never written)")
    }

    private func withDisk<Result>(of volume: String, _ body: (Int32) throws -> Result) async throws -> Result {
        let pod = uniquePodID()
        let publication = try await publish(volume, to: pod)
        guard publication.format == .raw else {
            try await unpublish(volume, from: pod)
            throw CheckSkipped("the content of \(publication.format.rawValue) disks is not looked into")
        }
        let disk = open(publication.path, O_RDWR | O_CLOEXEC)
        guard disk >= 0 else { throw CheckFailure("\(publication.path): \(String(cString: strerror(errno)))") }
        let result = Swift.Result { try body(disk) }
        close(disk)
        try await unpublish(volume, from: pod)
        return try result.get()
    }

    private static func bytes(of word: String, at place: Int64) -> [UInt8] {
        let text = Array("\(word) at \(place) ".utf8)
        return (0..<512).map { text[$0 % text.count] }
    }
}

extension VolumePublication {
    /// What in it no machine could use; nil: all is well.
    func fault(of volume: Volume, machineGroup: UInt32, readOnly: Bool) -> String? {
        var status = stat()
        guard path.hasPrefix("/") else { return "the path \"\(path)\" is not absolute" }
        guard stat(path, &status) == 0 else { return "\(path): \(String(cString: strerror(errno)))" }
        let type = status.st_mode & S_IFMT
        guard type == S_IFREG || type == S_IFBLK else { return "\(path) is neither a file nor a block device" }
        if let fault = permissionFault(status, machineGroup, readOnly) { return fault }
        guard self.readOnly == readOnly else {
            return "readOnly is \(self.readOnly) for \(readOnly ? "a reader" : "a writer")"
        }
        guard mode == volume.mode else { return "mode is \(mode) for a volume of the mode \(volume.mode)" }
        switch (mode, fsType) {
        case (.block, nil): break
        case (.filesystem, "ext4"?), (.filesystem, "xfs"?): break
        default: return "fsType is \(fsType ?? "nothing") for the mode \(mode)"
        }
        guard format == .raw, type == S_IFREG else { return nil }
        guard Int64(status.st_size) >= volume.capacityBytes else {
            return "\(path) has \(status.st_size) bytes, and the volume \(volume.capacityBytes)"
        }
        return fileSystemFault
    }

    private func permissionFault(_ status: stat, _ machineGroup: UInt32, _ readOnly: Bool) -> String? {
        let needed: UInt32 = readOnly ? 0o4 : 0o6
        let mode = status.st_gid == machineGroup ? status.st_mode >> 3 : status.st_mode
        guard mode & needed == needed else { return "the machines' group \(machineGroup) may not open \(path)" }
        var folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        while folder.path != "/" {
            var status = stat()
            guard stat(folder.path, &status) == 0 else { return "\(folder.path): \(String(cString: strerror(errno)))" }
            let mode = status.st_gid == machineGroup ? status.st_mode >> 3 : status.st_mode
            guard mode & 0o1 == 0o1 else { return "the machines' group \(machineGroup) may not pass \(folder.path)" }
            folder.deleteLastPathComponent()
        }
        return nil
    }

    /// The magic numbers of ext4 (at 1080, little-endian) and xfs (at 0).
    private var fileSystemFault: String? {
        guard let fsType else { return nil }
        var bytes = [UInt8](repeating: 0, count: 2048)
        let disk = open(path, O_RDONLY | O_CLOEXEC)
        defer { close(disk) }
        guard pread(disk, &bytes, bytes.count, 0) == bytes.count else { return "\(path) cannot be read" }
        let found =
            bytes[1080...1081].elementsEqual([0x53, 0xef])
            ? "ext4" : bytes[..<4].elementsEqual("XFSB".utf8) ? "xfs" : nil
        return found == fsType ? nil : "\(path) holds \(found ?? "no file system"), and fsType says \(fsType)"
    }
}
