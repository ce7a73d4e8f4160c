import CarpelPluginSDK
import Glibc

extension StorageLocal {
    /// Makes the disk under a temporary name, and the volume by its record: before that nothing but a leftover is there.
    public func createVolume(_ request: CreateVolumeRequest) async throws -> Volume {
        try checkName(request.name, of: "name")
        guard request.capacityBytes >= 0 else {
            throw PluginError(.invalidArgument, "capacityInvalid", "capacityBytes must not be negative")
        }
        let keys = [.volumeName(request.name)] + (request.source.map { [$0.lockKey] } ?? [])
        return try await pool.perform(keys) { tools in
            if let existing = pool.read({ $0.volume(named: request.name) }) {
                return try repeated(request, of: existing)
            }
            return try await make(request, with: tools)
        }
    }

    private func repeated(_ request: CreateVolumeRequest, of existing: VolumeRecord) throws -> Volume {
        guard existing.request == request else {
            throw PluginError(
                .alreadyExists, "volumeExists",
                "there is a volume \"\(request.name)\" that was made from another request: choose another name")
        }
        return try describe(existing)
    }

    private func make(_ request: CreateVolumeRequest, with tools: Tools) async throws -> Volume {
        let source = try request.source.map(sourceDisk)
        let settings = try VolumeSettings(
            parameters: request.parameters, mode: request.mode, inherited: source?.content)
        let record = VolumeRecord(
            id: makeIdentifier(), request: request, content: settings.content, limits: settings.limits,
            createdAt: nanosecondsSince1970(), capacityBytes: try capacity(for: request, settings.content, source))
        let reservation = try pool.reserve(record.capacityBytes)

        try await pool.folders.withTemporaryDisk(record.id) { path in
            let disk: String
            if let source {
                disk = try await copy(source, to: path, with: tools)
                try await tools.lengthen(disk, record.content.format, to: record.capacityBytes)
            } else {
                disk = try await tools.makeDisk(record.content, bytes: record.capacityBytes, at: path)
            }
            try pool.folders.setAccess(of: disk, to: record)
            try pool.add(record, disk: disk, using: reservation)
        }
        return try describe(record)
    }

    /// The request's capacity, or the source's, or the default; whole blocks of file systems.
    private func capacity(
        for request: CreateVolumeRequest, _ content: VolumeContent, _ source: SourceDisk?
    ) throws -> Int64 {
        let asked = request.capacityBytes > 0 ? request.capacityBytes : nil
        let bytes = try wholeBlocks(asked ?? source?.capacityBytes ?? configuration.defaultCapacityBytes)
        if let source, bytes < source.capacityBytes {
            throw PluginError(
                .outOfRange, "smallerThanSource",
                "a copy must have at least the \(source.capacityBytes) bytes of its source, not \(bytes)")
        }
        if let fileSystem = content.fileSystem, bytes < fileSystem.minimumBytes {
            throw PluginError(
                .outOfRange, "volumeTooSmall",
                "\(fileSystem.rawValue) needs a volume of at least \(fileSystem.minimumBytes) bytes, not \(bytes)")
        }
        return bytes
    }

    private func sourceDisk(_ source: VolumeSource) throws -> SourceDisk {
        switch source {
        case .volume(let id): SourceDisk(try pool.volume(id), in: pool.folders)
        case .snapshot(let id): SourceDisk(try pool.snapshot(id), in: pool.folders)
        }
    }
}

extension VolumeSource {
    fileprivate var lockKey: LockKey {
        switch self {
        case .snapshot(let id): .snapshot(id)
        case .volume(let id): .volume(id)
        }
    }
}

/// Rounds up to 4 KiB: what disks, qcow2 and both file systems can do.
func wholeBlocks(_ bytes: Int64) throws -> Int64 {
    let (sum, overflow) = bytes.addingReportingOverflow(4095)
    guard !overflow else { throw PluginError(.outOfRange, "tooLarge", "\(bytes) bytes are more than a disk can have") }
    return sum & ~4095
}

func nanosecondsSince1970() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
}
