import CarpelCore
import Foundation
import Glibc
import Testing

@testable import CarpelMachines

struct MachineSpecTests {
    private let account = Result { try Account(user: "nobody", group: "nogroup") }
    private let configuration = MachinesConfiguration()

    private var spec: MachineSpec {
        MachineSpec(
            id: "pod", name: "pod", guestMemory: .mebibytes(64), kernel: "/bin/true", initramfs: "/bin/true",
            channelPath: "/run/agent.sock", bootLogPath: "/run/boot.log")
    }

    @discardableResult
    private func expect(
        _ reason: String, _ location: SourceLocation = #_sourceLocation, _ change: (inout MachineSpec) -> Void
    )
        async -> CarpelError?
    {
        var spec = spec
        change(&spec)
        return await expectError(reason, sourceLocation: location) { [spec] in
            try spec.validate(configuration, account: try account.get())
        }
    }

    @Test func soundSpecIsAccepted() throws {
        try spec.validate(configuration, account: try account.get())
    }

    @Test func whatCannotStartIsRefusedWithAReason() async throws {
        await expect("machineName") { $0.id = "" }
        await expect("machineName") { $0.id = "../etc" }
        await expect("machineName") { $0.id = ".." }
        await expect("machineName") { $0.id = String(repeating: "x", count: 65) }
        await expect("virtualCPUs") { $0.virtualCPUs = 0 }
        await expect("memoryTooSmall") { $0.guestMemory = ByteCount(8 << 20 - 1) }
        await expect("pathTooLong") { $0.channelPath = "/" + String(repeating: "x", count: 107) }
        await expect("tooManyDevices") {
            $0.interfaces = Array(repeating: InterfaceSpec(tap: "t", macAddress: "52:54:00:00:00:01"), count: 26)
        }
        await expect("macAddress") { $0.interfaces = [InterfaceSpec(tap: "t", macAddress: "52:54:00:00:00")] }
        await expect("tapName") { $0.interfaces = [InterfaceSpec(tap: "../t", macAddress: "52:54:00:00:00:01")] }
        await expect("sharedFolderTag") { $0.sharedFolder = SharedFolderSpec(tag: "a b", path: "/tmp") }
        await expect("kernelMissing") { $0.kernel = "/no/vmlinux" }
        await expect("kernelMissing") { $0.kernel = "/bin" }
        await expect("initramfsMissing") { $0.initramfs = "/no/initramfs" }
        await expect("diskSerial") { $0.disks = [DiskSpec(serial: "", path: "/x", readOnly: true)] }
        await expect("diskSerial") { $0.disks = [DiskSpec(serial: "a b", path: "/x", readOnly: true)] }
        await expect("diskSerial") {
            $0.disks = [DiskSpec(serial: String(repeating: "x", count: 21), path: "/x", readOnly: true)]
        }
        await expect("diskSerial") {
            $0.disks = Array(repeating: DiskSpec(serial: "a", path: "/x", readOnly: true), count: 2)
        }
    }

    @Test func fileThatQEMUCannotReadNamesTheFolderInTheWay() async throws {
        let folder = "/tmp/closed-\(UInt32.random(in: 0 ... .max))"
        mkdir(folder, 0o700)
        defer { rmdir(folder) }
        let kernel = "\(folder)/vmlinux"
        try Data().write(to: URL(fileURLWithPath: kernel))
        defer { unlink(kernel) }
        chmod(kernel, 0o644)
        let error = await expect("kernelNotReadable") { $0.kernel = kernel }
        #expect(error?.message.contains("\(folder) does not let it") == true)
        chmod(folder, 0o711)
        chmod(kernel, 0o600)
        let other = await expect("kernelNotReadable") { $0.kernel = kernel }
        #expect(other?.message.contains("\(kernel) does not let it") == true)
        chmod(kernel, 0o644)
        var sound = spec
        sound.kernel = kernel
        try sound.validate(configuration, account: try account.get())
    }

    @Test func userThatDoesNotExistIsToldWithTheCommandThatMakesIt() {
        let error = #expect(throws: CarpelError.self) { try Account(user: "no-such-user", group: "root") }
        #expect(error?.reason == "qemuUserMissing")
        #expect(error?.message.contains("useradd --system --user-group no-such-user") == true)
    }

    @Test func configurationHasADefaultForEveryField() throws {
        let empty = try JSONDecoder().decode(MachinesConfiguration.self, from: Data("{}".utf8))
        #expect(empty == MachinesConfiguration())
        let some = try JSONDecoder().decode(
            MachinesConfiguration.self, from: Data(#"{"accelerator": "tcg", "console": "none"}"#.utf8))
        #expect(some.accelerator == .tcg)
        #expect(some.console == .none)
        #expect(some.qemuUser == "carpel-qemu")
    }
}
