import CarpelCore
import CarpelGuestProtocol
import CarpelMachines
import CarpelRuntime
import Foundation
import Logging
import TestSupport

/// What a machine with the real agent boots and runs containers from.
struct AgentPlace: Codable, Sendable {
    let folder: String
    let kernel: String
    let initramfs: String

    static let layer = "layer"
    static let tag = "shared"

    /// Nil where `hack/guest` has not been run.
    static let guest: String? = {
        let guest = "\(repository)/.build/guest"
        return FileManager.default.fileExists(atPath: "\(guest)/manifest.json") ? guest : nil
    }()

    /// In the folder of `place`, and gone with it.
    init(_ place: TestPlace) async throws {
        guard let guest = Self.guest else { throw SupportError("run hack/guest first") }
        folder = "\(place.folder)/agent"
        kernel = "\(folder)/vmlinux"
        initramfs = "\(folder)/initramfs.cpio"
        try await shell(
            """
            set -eu
            [ -e "$1/base.erofs" ] && exit 0
            mkdir -p "$1/base/bin" "$1/base/tmp"
            cd "$1"
            # The folders above the repository may be closed to QEMU's user.
            for file in vmlinux initramfs.cpio; do ln "$2/$file" . 2>/dev/null || cp "$2/$file" .; done
            cp /bin/busybox base/bin/busybox
            for applet in $(/bin/busybox --list); do [ "$applet" = busybox ] || ln -sf busybox base/bin/$applet; done
            mkfs.erofs --quiet -x-1 -T0 --all-root base.erofs base
            rm -rf base
            """, folder, guest)
    }

    /// A new disk of this place's, made what it should be by a shell command that knows it as `$1`.
    func file(_ name: String, bytes: Int, _ command: String = ":") async throws -> String {
        let path = "\(folder)/\(name)"
        try await shell("set -e; truncate -s \(bytes) \"$1\"; \(command)", path)
        return path
    }

    func spec(_ id: String, in place: TestPlace, sharedFolder: SharedFolder? = nil) async throws -> MachineSpec {
        var spec = place.spec(id)
        spec.kernel = kernel
        spec.initramfs = initramfs
        let scratch = try await file("\(id).ext4", bytes: 64 << 20, "mkfs.ext4 -q -F -O ^has_journal \"$1\"")
        spec.disks = [
            DiskSpec(serial: Self.layer, path: "\(folder)/base.erofs", readOnly: true),
            DiskSpec(serial: "scratch", path: scratch, readOnly: false, bus: .virtioBlock),
        ]
        spec.sharedFolder = sharedFolder.map { SharedFolderSpec(tag: Self.tag, path: $0.path) }
        return spec
    }
}

extension TestNode {
    /// Starts a machine with the agent, and configures it.
    func startAgent(
        _ id: String, _ agent: AgentPlace, sharedFolder: SharedFolder? = nil
    ) async throws -> (any Machine, GuestConnection) {
        let machine = try await hypervisor.start(agent.spec(id, in: place, sharedFolder: sharedFolder))
        let guest = try await connect(to: machine)
        try await guest.configure(id, sharedFolder: sharedFolder != nil)
        return (machine, guest)
    }
}

func connect(to machine: any Machine) async throws -> GuestConnection {
    try await GuestConnection.connect(
        socketPath: machine.channelPath, timeout: .seconds(60), logger: Logger(label: "test"))
}

extension GuestConnection {
    func configure(_ id: String, sharedFolder: Bool) async throws {
        try await call(
            .configure(
                SandboxConfiguration(
                    hostname: id, resolvConf: "", hosts: "", clock: UInt64(Date().timeIntervalSince1970 * 1e9),
                    entropy: (0..<64).map { _ in .random(in: 0...255) }, scratchDisk: "scratch",
                    sharedFolder: sharedFolder ? AgentPlace.tag : nil)))
    }

    /// Starts a container that does nothing but stay, for commands to be run in.
    func startHolder(_ id: String, _ mounts: [ContainerSpec.Mount], privileged: Bool = false) async throws {
        var process = ProcessSpec(arguments: ["sleep", "100000"], environment: ["PATH=/bin"])
        process.capabilities = .max
        var spec = ContainerSpec(id: id, layers: [AgentPlace.layer], process: process)
        spec.mounts = mounts
        spec.privileged = privileged
        try await call(.createContainer(spec))
        try await call(.startContainer(id: id))
    }

    /// Runs a shell command in a container.
    /// - Returns: What it wrote, errors too.
    @discardableResult
    func run(_ command: String, in container: String) async throws -> String {
        var process = ProcessSpec(arguments: ["sh", "-c", "exec 2>&1; \(command)"], environment: ["PATH=/bin"])
        process.capabilities = .max
        let exec = try await exec(
            ExecSpec(
                id: "e-\(UUID().uuidString.prefix(8))", container: container, process: process, stdin: false))
        let (output, _) = try await exec.collectOutput(limit: 1 << 20)
        _ = try await exec.exitStatus()
        return String(decoding: output, as: UTF8.self)
    }
}

extension ContainerSpec.Mount {
    static func shared(_ path: String, at destination: String, readOnly: Bool = false, recursively: Bool = false)
        -> Self
    {
        Self(
            source: .shared(path: path), destination: destination, readOnly: readOnly,
            recursivelyReadOnly: recursively)
    }
}
