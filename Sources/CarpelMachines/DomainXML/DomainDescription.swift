import CarpelCore

/// A machine as libvirt's domain: one configurator for each device, put together here.
///
/// Source: https://libvirt.org/formatdomain.html
struct DomainDescription: Sendable {
    let spec: MachineSpec
    let configuration: MachinesConfiguration
    let accelerator: AcceleratorChoice.Kind
    let uuid: String
    /// What serves a shared folder; needed for a machine that has one.
    var sharedFolderDaemon = ""
    /// What the machine must be like because it goes on from a saved state; nil for one that boots.
    var shape: MachineShape?

    var document: String { element.document() }

    private var element: DomainElement {
        let description: [DomainElement] = [
            DomainElement("name", text: Self.domainName(spec.id)),
            DomainElement("uuid", text: uuid),
            // libvirt refuses a title with a line break.
            DomainElement("title", text: spec.name.replacing("\n", with: " ")),
            DomainElement("metadata", [OwnershipMark(id: spec.id, root: configuration.stateDirectory).element]),
            growth.memory,
            DomainElement("memory", ["unit": "KiB"], text: "\(totalKibibytes)"),
            spec.canShareFolders || spec.sharedFolder != nil ? SharedFolderSpec.memoryBacking : nil,
            growth.processors,
            boot,
            DomainElement("features", [DomainElement("acpi")]),
            processor,
            DomainElement("clock", ["offset": "utc"]),
            DomainElement("on_poweroff", text: "destroy"),
            DomainElement("on_reboot", text: "destroy"),
            DomainElement("on_crash", text: "destroy"),
            devices,
            QEMUAccount.label(user: configuration.qemuUser, group: configuration.qemuGroup),
            shape.map { _ in IncomingState.commandLine },
            ProcessorCheck.short,
        ].compactMap { $0 }
        return DomainElement(
            "domain", ["type": accelerator == .kvm ? "kvm" : "qemu", "xmlns:qemu": ProcessorCheck.namespace],
            description)
    }

    /// Prefixed, so that an operator sees whose machine it is in `ps` and `virsh list`.
    static func domainName(_ id: String) -> String { "carpel-\(id)" }

    private var memory: ByteCount {
        configuration.machineMemory(for: spec.guestMemory, maximumVirtualCPUs: spec.maximumVirtualCPUs)
    }

    private var growth: GrowthRoom { shape.map(GrowthRoom.init) ?? GrowthRoom(spec, memory: memory) }

    private var totalKibibytes: Int64 {
        shape.map { $0.modulesKibibytes.reduce($0.memoryKibibytes, +) } ?? memory.bytes >> 10
    }

    private var boot: DomainElement {
        DomainElement(
            "os",
            [
                DomainElement("type", ["arch": "x86_64", "machine": shape?.machineType ?? "q35"], text: "hvm"),
                DomainElement("kernel", text: spec.kernel),
                DomainElement("initrd", text: spec.initramfs),
                DomainElement("cmdline", text: spec.kernelArguments.joined(separator: " ")),
            ])
    }

    private var processor: DomainElement {
        let mode = accelerator == .kvm ? "host-passthrough" : "maximum"
        return DomainElement("cpu", ["mode": mode, "check": "none"], growth.node.map { [$0] } ?? [])
    }

    private var devices: DomainElement {
        var devices: [DomainElement] = []
        if let emulator = configuration.emulator { devices.append(DomainElement("emulator", text: emulator)) }
        devices += disks
        devices += [
            Controllers.noUSB, Controllers.hotplugPort, Controllers.hotplug, Controllers.scsi, Controllers.serial,
        ]
        if let folder = spec.sharedFolder { devices.append(folder.element(daemon: sharedFolderDaemon)) }
        devices += spec.interfaces.enumerated().map { $1.element(at: RootBus.address(RootBus.firstFree + $0)) }
        devices += (shape?.modulesKibibytes ?? []).map { MemoryModule(size: .kibibytes($0)).element }
        devices += console
        devices += [
            AgentChannel(path: spec.channelPath).element,
            DomainElement("memballoon", ["model": "none"]),
            // Port 0x505, announced to the guest by ACPI: the guest's driver is `pvpanic-mmio`.
            DomainElement("panic", ["model": "isa"]),
        ]
        return DomainElement("devices", devices)
    }

    private var disks: [DomainElement] {
        var scsi = 0
        var virtio = 0
        return spec.disks.map { disk in
            switch disk.bus {
            case .scsi:
                defer { scsi += 1 }
                return disk.element(at: .scsi(unit: shape?.units[disk.serial] ?? scsi))
            case .virtioBlock:
                defer { virtio += 1 }
                let slot = RootBus.firstFree + spec.interfaces.count + virtio
                return disk.element(at: .virtioBlock(index: virtio, slot: slot))
            }
        }
    }
}
