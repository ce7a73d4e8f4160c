import CLinux
import CarpelGuestProtocol
import Glibc

extension Agent {
    func volumeUsage(_ name: String, _ done: @escaping (Result<VolumeUsage, GuestFailure>) -> Void) {
        guard let volume = volumes[name], volume.isReady else {
            return done(.failure(GuestFailure(.notFound, "there is no volume \(name)")))
        }
        do throws(GuestFailure) {
            switch volume.volume.source {
            case .disk, .memory:
                done(.success(try VolumeUsage(at: volume.path)))
            case .block:
                let bytes = BlockDevices.length(of: volume.device ?? "")
                done(
                    .success(
                        VolumeUsage(capacityBytes: bytes, usedBytes: 0, availableBytes: 0, inodes: 0, usedInodes: 0)))
            case .scratch:
                try measure(volume, of: try VolumeUsage(at: volume.path), done)
            }
        } catch {
            done(.failure(error))
        }
    }

    /// What a directory takes of its disk, only a walk through it tells.
    private func measure(
        _ volume: Volume, of disk: VolumeUsage, _ done: @escaping (Result<VolumeUsage, GuestFailure>) -> Void
    ) throws(GuestFailure) {
        let pipe = try makePipe()
        let writing = pipe.writing.number
        let pid = try checkNegative(carpel_spawn_measurer(volume.path, writing, -1), "measure \(volume.name)")
        processes.onExit(of: pid) { [reading = pipe.reading] code in
            var tree = carpel_tree()
            guard code == 0, read(reading.number, &tree, MemoryLayout<carpel_tree>.size) > 0 else {
                return done(.failure(GuestFailure(.system, "the volume \(volume.name) cannot be measured")))
            }
            var usage = disk
            usage.usedBytes = tree.bytes
            usage.usedInodes = tree.inodes
            done(.success(usage))
        }
    }
}

extension VolumeUsage {
    fileprivate init(at path: String) throws(GuestFailure) {
        var status = statvfs()
        try check(statvfs(path, &status), "ask for the usage of \(path)")
        let block = UInt64(status.f_frsize)
        self.init(
            capacityBytes: UInt64(status.f_blocks) * block,
            usedBytes: (UInt64(status.f_blocks) - min(UInt64(status.f_blocks), UInt64(status.f_bfree))) * block,
            availableBytes: UInt64(status.f_bavail) * block, inodes: UInt64(status.f_files),
            usedInodes: UInt64(status.f_files) - min(UInt64(status.f_files), UInt64(status.f_ffree)))
    }
}
