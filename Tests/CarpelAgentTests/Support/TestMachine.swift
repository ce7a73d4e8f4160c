import CarpelCore
import CarpelGuestProtocol
import CarpelRuntime
import Foundation
import Logging
import Synchronization
import TestSupport

/// A machine that boots the real agent under plain QEMU.
final class TestMachine: Sendable {
    /// The one that the suite's tests share.
    @TaskLocal static var shared: TestMachine?

    static let baseLayer = "layer-base"
    static let extraLayer = "layer-extra"
    static let scratchDisk = "scratch"
    static let hardwareAddress = "52:54:00:aa:bb:cc"

    private let folder: TemporaryFolder
    private let process: ChildProcess
    private let monitor: Monitor
    private let disks: TestDisks
    /// From the start of QEMU to the agent's HELLO.
    let bootTime: Duration
    let guest: GuestConnection
    private let socket: String
    private let luns = Atomic(7)

    static func boot() async throws -> TestMachine { try await TestMachine() }

    private init() async throws {
        folder = try TemporaryFolder()
        let files = try GuestFiles()
        disks = try await TestDisks.make(in: folder.path)
        socket = "\(folder.path)/agent.sock"
        let start = ContinuousClock.now
        process = try ChildProcess(
            "/usr/bin/qemu-system-x86_64",
            Self.arguments(files, disks, folder: folder.path), log: "\(folder.path)/qemu.log")
        let socket = socket
        guest = try await Self.connectOnceItListens(to: socket)
        bootTime = ContinuousClock.now - start
        monitor = try Monitor("\(folder.path)/monitor.sock")
    }

    /// The file behind the scratch disk.
    var scratch: String { disks.scratch }

    /// The console's content, the serial one.
    var console: String { (try? String(contentsOfFile: "\(folder.path)/console.log", encoding: .utf8)) ?? "" }

    /// QEMU's backlog is one connection, and it may still be busy with the end of the last.
    func connectRawOnceFree() async throws -> RawChannel {
        let deadline = ContinuousClock.now + .seconds(10)
        while true {
            do {
                return try RawChannel(socket)
            } catch {
                guard ContinuousClock.now < deadline else { throw error }
                try await Task.sleep(for: .milliseconds(2))
            }
        }
    }

    func connect() async throws -> GuestConnection { try await Self.connect(to: socket) }

    /// QEMU has taken from the agent what its reader does not take from QEMU.
    func isPortThrottled() async throws -> Bool {
        try await monitor.execute(
            #"{"execute": "human-monitor-command", "arguments": {"command-line": "info qtree"}}"#
        ).contains("throttle on")
    }

    func end() async throws { try await process.end(SIGKILL) }

    func waitForEnd() async throws {
        try await eventually("the machine is off") { [process] in !process.isRunning }
    }

    /// Attaches the second layer while the machine runs.
    func plugExtraLayer() async throws { try await plug(disks.extra, serial: Self.extraLayer, readOnly: true) }

    /// Attaches a disk while the machine runs.
    func plug(_ path: String, serial: String, readOnly: Bool = false) async throws {
        let lun = luns.wrappingAdd(1, ordering: .relaxed).newValue
        try await monitor.execute(
            """
            {"execute": "blockdev-add", "arguments": {"driver": "raw", "node-name": "\(serial)", \
            "read-only": \(readOnly), "discard": "unmap", \
            "file": {"driver": "file", "filename": "\(path)", "read-only": \(readOnly), "discard": "unmap"}}}
            """)
        try await monitor.execute(
            """
            {"execute": "device_add", "arguments": {"driver": "scsi-hd", "bus": "scsi.0", "drive": "\(serial)", \
            "id": "\(serial)", "lun": \(lun), "serial": "\(serial)"}}
            """)
    }

    /// Takes a disk away, and returns when QEMU has closed its file.
    func unplug(_ serial: String) async throws {
        try await monitor.execute(#"{"execute": "device_del", "arguments": {"id": "\#(serial)"}}"#)
        try await eventually("the disk \(serial) is gone") { [monitor] in
            let close = #"{"execute": "blockdev-del", "arguments": {"node-name": "\#(serial)"}}"#
            return (try? await monitor.execute(close)) != nil
        }
    }

    func resize(_ serial: String, to bytes: Int) async throws {
        try await monitor.execute(
            #"{"execute": "block_resize", "arguments": {"node-name": "\#(serial)", "size": \#(bytes)}}"#)
    }

    /// A new sparse file of this machine's, made what it should be by a shell command that knows it as `$1`.
    func file(_ name: String, bytes: Int, _ command: String) async throws -> String {
        let path = "\(folder.path)/\(name)"
        try await shell("set -e; truncate -s \(bytes) \"$1\"; \(command)", path)
        return path
    }

    /// The configuration that most tests use.
    static func configuration() -> SandboxConfiguration {
        SandboxConfiguration(
            hostname: "pod-7", resolvConf: "nameserver 192.0.2.53\n", hosts: "127.0.0.1 localhost\n192.0.2.7 pod-7\n",
            sysctls: ["net.ipv4.ip_unprivileged_port_start": "99"],
            clock: UInt64(Date().timeIntervalSince1970 * 1e9),
            entropy: (0..<64).map { _ in UInt8.random(in: 0...255) }, scratchDisk: scratchDisk,
            interfaces: [
                .init(
                    hardwareAddress: hardwareAddress.uppercased(), name: "eth0", mtu: 1400,
                    addresses: ["10.0.2.15/24", "fd00:7::2/64"],
                    routes: [
                        .init(destination: "0.0.0.0/0", gateway: "10.0.2.2"),
                        .init(destination: "198.51.100.0/24", gateway: "169.254.1.1"),
                        .init(destination: "203.0.113.0/24"), .init(destination: "::/0", gateway: "fe80::1"),
                    ])
            ])
    }

    /// QEMU makes the socket a moment before it listens.
    private static func connectOnceItListens(to socket: String) async throws -> GuestConnection {
        let deadline = ContinuousClock.now + .seconds(10)
        while true {
            do {
                return try await connect(to: socket)
            } catch let error as CarpelError where error.reason == "guestUnreachable" && ContinuousClock.now < deadline
            {
                try await Task.sleep(for: .milliseconds(5))
            }
        }
    }

    private static func connect(to socket: String) async throws -> GuestConnection {
        try await GuestConnection.connect(socketPath: socket, timeout: .seconds(60), logger: Logger(label: "test"))
    }

    private static func arguments(_ files: GuestFiles, _ disks: TestDisks, folder: String) -> [String] {
        let kernel = "console=ttyS0 quiet tsc=reliable no_timer_check cryptomgr.notests 8250.nr_uarts=1 panic=-1"
        return [
            "-machine", "q35,accel=tcg", "-cpu", "max", "-m", "256", "-nodefaults", "-no-user-config", "-no-reboot",
            "-display", "none", "-kernel", files.kernel, "-initrd", files.initramfs, "-append", kernel,
            "-serial", "file:\(folder)/console.log", "-qmp", "unix:\(folder)/monitor.sock,server=on,wait=off",
            "-device", "virtio-serial-pci",
            "-chardev", "socket,id=agent,path=\(folder)/agent.sock,server=on,wait=off",
            "-device", "virtserialport,chardev=agent,name=dev.carpel.agent",
            "-device", "virtio-scsi-pci,id=scsi",
            "-blockdev", "raw,node-name=base,read-only=on,file.driver=file,file.filename=\(disks.base)",
            "-device", "scsi-hd,bus=scsi.0,drive=base,serial=\(baseLayer)",
            "-blockdev", "raw,node-name=scratch,file.driver=file,file.filename=\(disks.scratch)",
            "-device", "virtio-blk-pci,drive=scratch,serial=\(scratchDisk)",
            "-netdev", "user,id=net,restrict=on",
            "-device", "virtio-net-pci,netdev=net,mac=\(hardwareAddress)",
            "-device", "pvpanic",
        ]
    }
}
