import CarpelCore
import Foundation

/// Finds out whether machines can run on this host, and what is missing if not.
public struct MachineChecks: Sendable {
    private let configuration: MachinesConfiguration
    private let kernel: String
    private let initramfs: String

    public init(_ configuration: MachinesConfiguration, kernel: String, initramfs: String) {
        self.configuration = configuration
        self.kernel = kernel
        self.initramfs = initramfs
    }

    /// All checks, none of which changes anything. Versions are told only by a hypervisor that is open.
    public func run(_ hypervisor: LibvirtHypervisor? = nil) async -> [MachineCheck] {
        let calls = BlockingCalls(threads: 1)
        defer { calls.close() }
        let checks = try? await calls.run("checking this host", timeout: .seconds(10)) { () -> [MachineCheck] in
            let account = Result { try Account(user: configuration.qemuUser, group: configuration.qemuGroup) }
            return [
                accelerator(account), user(account), emulator, driver, tunnel, sharedFolders, controlGroups,
                stateDirectory(account),
            ]
                + [("kernel", kernel), ("initramfs", initramfs)].map { file($0, at: $1, account) }
        }
        let found = checks ?? [MachineCheck("host", .fail, "the checks did not end in time")]
        guard let hypervisor else { return found }
        return found + [await versions(hypervisor)]
    }

    private func accelerator(_ account: Result<Account, any Error>) -> MachineCheck {
        do {
            let choice = try AcceleratorChoice.choose(
                configuration.accelerator, account: account.get(), probe: KVMProbe())
            if choice.kind == .kvm || configuration.accelerator == .tcg {
                return MachineCheck("accelerator", .ok, choice.description)
            }
            return MachineCheck(
                "accelerator", .warn, "machines run without KVM, slowly: \(choice.reason)",
                fix:
                    "use a host with hardware virtualization, or enable nested virtualization where this host is a guest"
            )
        } catch {
            return Self.failed("accelerator", error)
        }
    }

    private func user(_ account: Result<Account, any Error>) -> MachineCheck {
        switch account {
        case .success(let account) where account.user == 0:
            MachineCheck("qemuUser", .warn, "QEMU runs as root", fix: "set qemuUser to an account of its own")
        case .success(let account): MachineCheck("qemuUser", .ok, "QEMU runs as \(account.name) (\(account.user))")
        case .failure(let error): Self.failed("qemuUser", error)
        }
    }

    private var emulator: MachineCheck {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
        let candidates = configuration.emulator.map { [$0] } ?? folders.map { "\($0)/qemu-system-x86_64" }
        guard let found = candidates.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
            return MachineCheck(
                "qemu", .fail, "there is no \(configuration.emulator ?? "qemu-system-x86_64")",
                fix: "install qemu-system-x86, or set the emulator's path")
        }
        return MachineCheck("qemu", .ok, found)
    }

    private var driver: MachineCheck {
        guard configuration.driver == .embed else {
            return MachineCheck("libvirtDriver", .ok, "qemu:///system is used, the embedded driver is not needed")
        }
        let own = ProcessInfo.processInfo.environment["LIBVIRT_DRIVER_DIR"].map { [$0] } ?? []
        let folders =
            own
            + ["x86_64-linux-gnu/", ""].flatMap { ["/usr/lib/\($0)", "/usr/lib64/\($0)"] }
            .map { "\($0)libvirt/connection-driver" }
        let candidates = folders.map { "\($0)/libvirt_driver_qemu.so" }
        guard let found = candidates.first(where: { FileManager.default.fileExists(atPath: $0) }) else {
            return MachineCheck(
                "libvirtDriver", .fail, "libvirt's QEMU driver is not installed",
                fix: "install libvirt-daemon-driver-qemu")
        }
        return MachineCheck("libvirtDriver", .ok, found)
    }

    private var tunnel: MachineCheck {
        FileStatus("/dev/net/tun") == nil
            ? MachineCheck(
                "tun", .warn, "there is no /dev/net/tun, which network interfaces of machines need", fix: "modprobe tun"
            )
            : MachineCheck("tun", .ok, "/dev/net/tun")
    }

    private var sharedFolders: MachineCheck {
        switch SharedFolderDaemon.find(configuration) {
        case .success(let binary): MachineCheck("sharedFolders", .ok, binary)
        case .failure(let why) where why.fix == nil:
            MachineCheck("sharedFolders", .ok, "pods cannot mount files of this host: \(why.reason)")
        case .failure(let why):
            MachineCheck("sharedFolders", .warn, "pods cannot mount files of this host: \(why.reason)", fix: why.fix)
        }
    }

    private var controlGroups: MachineCheck {
        let mounts = (try? KernelFile.read("/proc/self/mounts")) ?? ""
        let readOnly = EmbedRoot.readOnlyControlGroups(mounts: mounts)
        guard readOnly.isEmpty else {
            return MachineCheck(
                "controlGroups", .warn,
                "\(readOnly.joined(separator: ", ")) cannot be written; machines are not limited",
                fix: "mount control groups read-write")
        }
        return MachineCheck("controlGroups", .ok, "no control group is mounted read-only")
    }

    private func stateDirectory(_ account: Result<Account, any Error>) -> MachineCheck {
        let path = configuration.stateDirectory
        guard path.utf8.count <= MachinesConfiguration.longestStateDirectory else {
            return MachineCheck(
                "stateDirectory", .fail,
                "\(path) is longer than \(MachinesConfiguration.longestStateDirectory) bytes",
                fix: "choose a shorter one")
        }
        guard FileStatus(path) != nil else {
            return MachineCheck("stateDirectory", .ok, "\(path) will be made")
        }
        guard let obstacle = (try? account.get())?.obstacle(to: .search, at: path) else {
            return MachineCheck("stateDirectory", .ok, path)
        }
        return MachineCheck(
            "stateDirectory", .fail, "\(configuration.qemuUser) cannot pass through \(obstacle)",
            fix: "chmod a+x \(obstacle)")
    }

    private func file(_ name: String, at path: String, _ account: Result<Account, any Error>) -> MachineCheck {
        do {
            try MachineSpec.requireReadable(path, name, account.get())
            return MachineCheck(name, .ok, path)
        } catch {
            return Self.failed(name, error)
        }
    }

    private func versions(_ hypervisor: LibvirtHypervisor) async -> MachineCheck {
        do {
            let found = try await hypervisor.versions()
            return MachineCheck("versions", .ok, "libvirt \(found.libvirt), QEMU \(found.qemu)")
        } catch {
            return Self.failed("versions", error)
        }
    }

    private static func failed(_ name: String, _ error: any Error) -> MachineCheck {
        // Messages end with what to do, behind a semicolon.
        let message = (error as? CarpelError)?.message ?? "\(error)"
        let parts = message.split(separator: "; ", maxSplits: 1).map(String.init)
        return MachineCheck(name, .fail, parts.first ?? message, fix: parts.count > 1 ? parts[1] : nil)
    }
}
