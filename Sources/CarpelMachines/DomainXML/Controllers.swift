/// The buses that devices sit on.
enum Controllers {
    static let noUSB = DomainElement("controller", ["type": "usb", "index": "0", "model": "none"])
    /// One controller, and a layer is a LUN of it: eight disks are seen in half the time that eight PCI devices take.
    static let scsi = DomainElement(
        "controller", ["type": "scsi", "index": "0", "model": "virtio-scsi"], [RootBus.address(RootBus.scsi)])
    static let serial = DomainElement(
        "controller", ["type": "virtio-serial", "index": "0"], [RootBus.address(RootBus.serial)])
}
