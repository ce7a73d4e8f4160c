import CarpelGuestProtocol
import CarpelRuntime
import Foundation
import TestSupport
import Testing

/// A disk of the suite's machine with a file system, or without.
struct VolumeDisk {
    let path: String
    let serial: String
    let fileSystem: String?
    let bytes: Int

    var name: String { "volume-\(serial)" }
    var volume: GuestVolume { volume(readOnly: false) }

    /// Makes it and plugs it in.
    static func make(_ fileSystem: String?) async throws -> VolumeDisk {
        // mkfs.xfs makes none that is smaller.
        let bytes =
            switch fileSystem {
            case "xfs": 320 << 20
            case "ext4": 48 << 20
            default: 4 << 20
            }
        let serial = "v-\(UUID().uuidString.prefix(8))"
        let command =
            switch fileSystem {
            case "xfs": "mkfs.xfs -q \"$1\""
            case "ext4": "mkfs.ext4 -q -F \"$1\""
            default: ":"
            }
        let path = try await sharedMachine().file(serial, bytes: bytes, command)
        try await sharedMachine().plug(path, serial: serial)
        return VolumeDisk(path: path, serial: serial, fileSystem: fileSystem, bytes: bytes)
    }

    /// A copy of its file as it is now.
    func clone(readOnly: Bool = false) async throws -> VolumeDisk {
        let serial = "v-\(UUID().uuidString.prefix(8))"
        let copy = try await sharedMachine().file(serial, bytes: 0, "cp --sparse=always \(path) \"$1\"")
        try await sharedMachine().plug(copy, serial: serial, readOnly: readOnly)
        return VolumeDisk(path: copy, serial: serial, fileSystem: fileSystem, bytes: bytes)
    }

    func add(readOnly: Bool = false) async throws {
        try await sharedGuest().call(.addVolume(volume(readOnly: readOnly)))
    }

    func remove() async throws { try await sharedGuest().call(.removeVolume(name: name)) }
    func unplug() async throws { try await sharedMachine().unplug(serial) }

    func usage() async throws -> VolumeUsage {
        guard case .volumeUsage(let usage) = try await sharedGuest().call(.volumeUsage(name: name)) else {
            throw SupportError("no usage")
        }
        return usage
    }

    /// Fails unless its file system is sound as it lies in the file.
    func check() async throws {
        try await shell(fileSystem == "xfs" ? "xfs_repair -n -f \"$1\"" : "e2fsck -fn \"$1\"", path)
    }

    func mount(_ destination: String) -> ContainerSpec.Mount { .volume(name, at: destination) }

    private func volume(readOnly: Bool) -> GuestVolume {
        let source = fileSystem.map { GuestVolume.Source.disk(serial: serial, fileSystem: $0) }
        return GuestVolume(name: name, source: source ?? .block(serial: serial), readOnly: readOnly)
    }
}

extension ContainerSpec.Mount {
    static func volume(_ name: String, _ subPath: String = "", at destination: String) -> Self {
        Self(source: .volume(name: name, subPath: subPath), destination: destination)
    }
}

func sharedMachine() throws -> TestMachine { try #require(TestMachine.shared) }

/// Runs a shell command in a container of the suite's machine that has these mounts.
@discardableResult
func inContainer(
    _ command: String, _ mounts: [ContainerSpec.Mount], _ change: (inout ContainerSpec) -> Void = { _ in }
) async throws -> Finished {
    try await run(command) {
        $0.mounts = mounts
        change(&$0)
    }
}

@discardableResult
func inContainer(
    _ command: String, _ mount: ContainerSpec.Mount, _ change: (inout ContainerSpec) -> Void = { _ in }
) async throws -> Finished {
    try await inContainer(command, [mount], change)
}

/// The volume as the agent lists it, if it does.
func listed(_ name: String) async throws -> GuestState.Volume? {
    guard case .state(let state) = try await sharedGuest().call(.state) else { throw SupportError("no state") }
    return state.volumes?.first { $0.volume.name == name }
}

func listed(_ disk: VolumeDisk) async throws -> GuestState.Volume? { try await listed(disk.name) }
