/// The machine's PCI Express root bus, on which every device of the start has a slot of its own.
///
/// libvirt would put each behind a root port, so that it can be unplugged: the guest spends 80 ms on finding the ports
/// and what is behind them. What is plugged in later is a LUN of the SCSI controller, or sits on the ``hotplug`` bridge.
enum RootBus {
    /// 0 is the host bridge, 1 the display's by custom, 31 the chipset's.
    static let slots = 2...28
    static let scsi = 2
    static let serial = 3
    /// The first slot of the interfaces, which the virtio-blk disks follow.
    static let firstFree = 4
    static let hotplug = 29

    static func address(_ slot: Int, bus: Int = 0) -> DomainElement {
        DomainElement("address", ["type": "pci", "domain": "0", "bus": "\(bus)", "slot": "\(slot)", "function": "0"])
    }
}

/// A conventional PCI bus, whose cards ACPI plugs in and out.
///
/// Counted by QEMU's `-icount` from start to init, the port and the bridge cost the guest 12 million of 600 million
/// instructions; four root ports cost 9 million, and there would be no fifth card. A card is seen in 50 to 90 ms.
enum HotplugBus {
    /// The numbers that libvirt gives to the buses: the controllers' indexes.
    static let portNumber = 1
    static let number = 2
    /// The bridge keeps slot 0 to itself.
    static let slots = 1...30
    /// The shared folder's: a machine whose state is to be saved must be rid of it.
    static let sharedFolder = 31
}
