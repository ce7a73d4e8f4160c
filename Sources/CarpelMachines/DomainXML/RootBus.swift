/// The machine's PCI Express root bus, on which every device has a slot of its own.
///
/// libvirt would put each behind a root port, so that it can be unplugged: the guest spends 80 ms on finding the ports
/// and what is behind them. Nothing here is unplugged but LUNs of the SCSI controller.
enum RootBus {
    /// 0 is the host bridge, 1 the display's by custom, 31 the chipset's.
    static let slots = 2...30
    static let scsi = 2
    static let serial = 3
    /// The first slot of the interfaces, which the virtio-blk disks follow.
    static let firstFree = 4

    static func address(_ slot: Int) -> DomainElement {
        DomainElement("address", ["type": "pci", "domain": "0", "bus": "0", "slot": "\(slot)", "function": "0"])
    }
}
