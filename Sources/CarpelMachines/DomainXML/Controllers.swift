/// The buses that devices sit on.
enum Controllers {
    static let noUSB = DomainElement("controller", ["type": "usb", "index": "0", "model": "none"])
    /// One controller, and a layer is a LUN of it: eight disks are seen in half the time that eight PCI devices take.
    static let scsi = DomainElement(
        "controller", ["type": "scsi", "index": "0", "model": "virtio-scsi"],
        [DomainElement("driver", ["queues": oneQueue]), RootBus.address(RootBus.scsi)])
    /// QEMU gives a device as many queues as the machine has CPUs at its start if nothing is said: the saved state of a
    /// machine that has got more CPUs since would not fit one that starts with them.
    static let oneQueue = "1"
    /// libvirt knows the bridge of ``hotplug`` behind a root port only.
    static let hotplugPort = DomainElement(
        "controller", ["type": "pci", "index": "\(HotplugBus.portNumber)", "model": "pcie-root-port"],
        [RootBus.address(RootBus.hotplug)])
    /// The bus of interfaces that are plugged in later.
    static let hotplug = DomainElement(
        "controller", ["type": "pci", "index": "\(HotplugBus.number)", "model": "pcie-to-pci-bridge"],
        [RootBus.address(0, bus: HotplugBus.portNumber)])
    static let serial = DomainElement(
        "controller", ["type": "virtio-serial", "index": "0"], [RootBus.address(RootBus.serial)])
}
