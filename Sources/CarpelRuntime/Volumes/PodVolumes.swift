import CarpelAPI
import CarpelCore
import CarpelGuestProtocol
import CarpelMachines
import CarpelPluginSDK

/// Under which the guest finds the disk of a pod's volume.
func volumeSerial(at index: Int) -> String { "volume-\(index)" }

/// What each volume of a pod is in the guest, in the order of the configuration.
///
/// - Parameter published: the plugins' volumes, with what the plugins have answered.
func guestVolumes(of config: PodSandboxConfig, published: [PublishedVolume]) -> [GuestVolume] {
    (config.carpel?.volumes ?? []).enumerated().compactMap { index, volume in
        if let emptyDir = volume.emptyDir {
            return GuestVolume(name: volume.name, source: emptyDir.source(serial: volumeSerial(at: index)))
        }
        guard let publication = published.first(where: { $0.name == volume.name })?.publication else { return nil }
        return GuestVolume(
            name: volume.name, source: publication.source(serial: volumeSerial(at: index)),
            readOnly: publication.readOnly)
    }
}

extension EmptyDirVolume {
    /// Whether it is on a disk of its own, whose length is its limit.
    var needsDisk: Bool { medium == .DISK && sizeLimitBytes > 0 }

    fileprivate func source(serial: String) -> GuestVolume.Source {
        switch medium {
        case .MEMORY: .memory(sizeLimit: sizeLimitBytes > 0 ? sizeLimitBytes : nil)
        case .DISK: needsDisk ? .disk(serial: serial, fileSystem: EmptyVolumes.fileSystem) : .scratch
        }
    }
}

extension VolumePublication {
    fileprivate func source(serial: String) -> GuestVolume.Source {
        switch mode {
        case .block: .block(serial: serial)
        case .filesystem: .disk(serial: serial, fileSystem: fsType ?? "ext4")
        }
    }
}

extension PodSandbox {
    /// Makes the disks of empty volumes, and has the plugins hand over theirs.
    func publishVolumes() async throws {
        for (index, volume) in (record.config.carpel?.volumes ?? []).enumerated() {
            guard let emptyDir = volume.emptyDir, emptyDir.needsDisk else { continue }
            try await EmptyVolumes.make(
                at: environment.paths.emptyVolume(id, index), size: ByteCount(emptyDir.sizeLimitBytes))
        }
        defer { if !record.volumes.isEmpty { environment.events.markStale(.VOLUME) } }
        for volume in record.volumes {
            let publication: VolumePublication
            do {
                publication = try await environment.plugins.storage(volume.plugin).publishVolume(volume.request)
            } catch {
                throw CarpelError.wrapping(error, during: "publish the volume \(volume.name)")
            }
            guard let index = record.volumes.firstIndex(where: { $0.name == volume.name }) else { continue }
            record.volumes[index].publication = publication
        }
    }

    /// Gives every plugin its volumes back.
    /// - Throws: the first failure, after all have been tried; the volumes that failed stay in the record.
    func unpublishVolumes() async throws {
        guard !record.volumes.isEmpty else { return }
        defer { environment.events.markStale(.VOLUME) }
        var failure: (any Error)?
        for volume in record.volumes.reversed() {
            do {
                try await environment.plugins.storage(volume.plugin).unpublishVolume(volume.withdrawal)
                record.volumes.removeAll { $0.name == volume.name }
            } catch {
                failure = failure ?? CarpelError.wrapping(error, during: "give back the volume \(volume.name)")
            }
        }
        if let failure { throw failure }
    }

    /// The disks of the pod's volumes, as the machine is to have them.
    var volumeDisks: [DiskSpec] {
        (record.config.carpel?.volumes ?? []).enumerated().compactMap { index, volume in
            let serial = volumeSerial(at: index)
            if volume.emptyDir?.needsDisk ?? false {
                return DiskSpec(
                    serial: serial, path: environment.paths.emptyVolume(id, index), format: .raw, readOnly: false)
            }
            guard let publication = record.volumes.first(where: { $0.name == volume.name })?.publication else {
                return nil
            }
            return DiskSpec(publication, serial: serial)
        }
    }

    func addVolumes(to guest: any Guest) async throws {
        for volume in guestVolumes(of: record.config, published: record.volumes) {
            try await translated("mount the volume \(volume.name)") { try await guest.ask(.addVolume(volume)) }
        }
    }
}

extension DiskSpec {
    init(_ publication: VolumePublication, serial: String) {
        self.init(
            serial: serial, path: publication.path, format: publication.format == .raw ? .raw : .qcow2,
            readOnly: publication.readOnly)
        limits = publication.limits.map(Limits.init)
    }
}

extension DiskSpec.Limits {
    fileprivate init(_ limits: CarpelPluginSDK.DiskLimits) {
        self.init()
        readBytesPerSecond = limits.readBytesPerSecond
        writeBytesPerSecond = limits.writeBytesPerSecond
        readOperationsPerSecond = limits.readOperationsPerSecond
        writeOperationsPerSecond = limits.writeOperationsPerSecond
    }
}
