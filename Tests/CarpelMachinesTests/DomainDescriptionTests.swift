import CarpelCore
import Foundation
import Testing

@testable import CarpelMachines

struct DomainDescriptionTests {
    private static let uuid = "7d7ac08f-13fa-4b5f-8d79-8a2a2c8f0f1e"

    private static var spec: MachineSpec {
        MachineSpec(
            id: "pod-1", name: "default/web", virtualCPUs: 2, guestMemory: .mebibytes(256), kernel: "/guest/vmlinux",
            initramfs: "/guest/initramfs.cpio", kernelArguments: ["quiet", "panic=-1"],
            channelPath: "/run/carpel/pods/pod-1/agent.sock", bootLogPath: "/run/carpel/pods/pod-1/boot.log")
    }

    private func document(
        _ spec: MachineSpec, _ accelerator: AcceleratorChoice.Kind = .kvm,
        _ change: (inout MachinesConfiguration) -> Void = { _ in }
    ) -> String {
        var configuration = MachinesConfiguration()
        change(&configuration)
        return DomainDescription(
            spec: spec, configuration: configuration, accelerator: accelerator, uuid: Self.uuid,
            sharedFolderDaemon: "/usr/lib/qemu/virtiofsd"
        ).document
    }

    @Test func plainMachine() throws {
        try expectGolden(document(Self.spec), "plain")
    }

    @Test func machineWithoutKVMAndWithAVirtioConsole() throws {
        try expectGolden(document(Self.spec, .tcg) { $0.console = .virtio }, "tcg-virtio-console")
    }

    @Test func machineWithDisksAndAnInterface() throws {
        var spec = Self.spec
        spec.disks = [
            DiskSpec(serial: "scratch", path: "/pods/1/scratch.img", readOnly: false, bus: .virtioBlock),
            DiskSpec(serial: "layer-0", path: "/layers/0.erofs", readOnly: true),
            DiskSpec(serial: "layer-1", path: "/layers/1.qcow2", format: .qcow2, readOnly: true),
        ]
        spec.interfaces = [InterfaceSpec(tap: "cpl0123456789ab", macAddress: "52:54:00:12:34:56", mtu: 1450)]
        try expectGolden(document(spec), "disks-interface")
    }

    @Test func machineWithASharedFolderAndAVolumeWithLimits() throws {
        var spec = Self.spec
        spec.sharedFolder = SharedFolderSpec(tag: "shared", path: "/run/carpel/pods/pod-1/shared")
        var volume = DiskSpec(serial: "volume-0", path: "/volumes/0.qcow2", format: .qcow2, readOnly: false)
        var limits = DiskSpec.Limits()
        limits.readBytesPerSecond = 1 << 20
        limits.writeBytesPerSecond = 2 << 20
        limits.readOperationsPerSecond = 300
        limits.writeOperationsPerSecond = 400
        volume.limits = limits
        spec.disks = [volume]
        try expectGolden(document(spec), "shared-folder-volume")
    }

    @Test func machineThatMayGrow() throws {
        var spec = Self.spec
        spec.maximumVirtualCPUs = 4
        spec.maximumGuestMemory = .gibibytes(2)
        try expectGolden(document(spec), "growing")
        let live = try LiveDomain(parsing: document(spec))
        #expect(live.capacity.virtualCPUs == 2 && live.capacity.maximumVirtualCPUs == 4)
        #expect(live.maximumMemory ?? live.capacity.memory >= live.capacity.memory + .mebibytes(1792))
    }

    @Test func modulesAreMultiplesOfTheBlocksThatTheGuestManages() {
        #expect(MemoryModule.size(atLeast: .mebibytes(1), machine: .mebibytes(256)) == .mebibytes(128))
        #expect(MemoryModule.size(atLeast: .mebibytes(129), machine: .mebibytes(256)) == .mebibytes(256))
        #expect(MemoryModule.size(atLeast: .mebibytes(1), machine: .gibibytes(64)) == .gibibytes(2))
    }

    @Test func machineThatGoesOnFromASavedStateIsLikeTheOther() throws {
        var spec = Self.spec
        spec.disks = [DiskSpec(serial: "layer", path: "/layers/0.erofs", readOnly: true)]
        spec.canShareFolders = true
        let shape = MachineShape(
            qemu: "7.2.0", machineType: "pc-q35-7.2", accelerator: .kvm, processor: "", virtualCPUs: 5,
            maximumVirtualCPUs: 7, memoryKibibytes: 4711, maximumMemoryKibibytes: 9000, modulesKibibytes: [100, 200],
            units: ["layer": 9])
        let document = DomainDescription(
            spec: spec, configuration: MachinesConfiguration(), accelerator: .kvm, uuid: Self.uuid, shape: shape
        ).document
        for part in [
            "machine='pc-q35-7.2'", "<vcpu current='5'>7</vcpu>", "<memory unit='KiB'>5011</memory>",
            "memory='4711'", "<size unit='KiB'>200</size>", ">9000</maxMemory>", "target='0' unit='9'",
            "<access mode='shared'/>", "<qemu:arg value='-incoming'/>",
        ] {
            #expect(document.contains(part))
        }
        #expect(!document.contains("<filesystem"))
    }

    @Test func textThatWouldBreakXMLIsEscaped() throws {
        var spec = Self.spec
        spec.name = "a<b>&'\"\n\u{1}\u{FFFF}ü"
        spec.kernelArguments = ["dyndbg=\"file x <&>\""]
        try expectGolden(document(spec) { $0.console = .none }, "escaped")
    }

    @Test func memoryIsWhatWasAskedForAndTheOverheadRoundedUp() {
        var spec = Self.spec
        spec.guestMemory = ByteCount(128 << 20 | 1)
        #expect(document(spec).contains("<memory unit='KiB'>\((128 + 2 + 96 + 1) * 1024)</memory>"))
    }

    @Test func targetsAreCountedLikeTheLettersOfAnAlphabet() {
        #expect([0, 25, 26, 51, 52, 701, 702].map(DiskSpec.Slot.letters) == ["a", "z", "aa", "az", "ba", "zz", "aaa"])
    }

    @Test func liveDomainReadsWhatTheDescriptionWrote() throws {
        var spec = Self.spec
        spec.disks = [
            DiskSpec(serial: "layer-0", path: "/layers/a&b.erofs", readOnly: true),
            DiskSpec(serial: "scratch", path: "/scratch", readOnly: false, bus: .virtioBlock),
            DiskSpec(serial: "layer-1", path: "/layers/1.erofs", readOnly: true),
        ]
        spec.interfaces = [InterfaceSpec(tap: "cpl0", macAddress: "52:54:00:12:34:AB")]
        let live = try LiveDomain(parsing: document(spec))
        #expect(live.uuid == Self.uuid)
        #expect(live.name == "carpel-pod-1")
        #expect(live.mark == OwnershipMark(id: "pod-1", root: "/run/carpel/machines"))
        #expect(live.channelPath == spec.channelPath)
        #expect(live.bootLogPath == spec.bootLogPath)
        #expect(live.disks.map(\.serial) == ["layer-0", "scratch", "layer-1"])
        #expect(live.disks.first?.path == "/layers/a&b.erofs")
        #expect(live.disks.map(\.unit) == [0, nil, 1])
        #expect(live.freeUnit == 2)
        #expect(live.interfaces.map(\.macAddress) == ["52:54:00:12:34:ab"])
        #expect(live.interfaces.first?.tap == "cpl0")
        // That of the start cannot be unplugged, and takes no slot of those that can.
        #expect(live.interfaces.first?.hotplugSlot == nil)
        #expect(live.freeHotplugSlot == 1)
    }

    @Test func markOfAnotherNamespaceIsNoMark() throws {
        let live = try LiveDomain(
            parsing: "<domain><metadata><x:pod xmlns:x='urn:x' id='a' root='/'/></metadata></domain>")
        #expect(live.mark == nil)
        #expect(throws: CarpelError.self) { try LiveDomain(parsing: "no XML") }
    }

    /// Compares with `Golden/<name>.xml`. With `CARPEL_WRITE_GOLDEN` set it writes the file instead.
    private func expectGolden(_ document: String, _ name: String, _ location: SourceLocation = #_sourceLocation) throws
    {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Golden/\(name).xml")
        if ProcessInfo.processInfo.environment["CARPEL_WRITE_GOLDEN"] != nil {
            try Data(document.utf8).write(to: file)
        }
        #expect(document == (try String(contentsOf: file, encoding: .utf8)), sourceLocation: location)
    }
}
