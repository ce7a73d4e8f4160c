extension SharedFolderSpec {
    /// The longest tag that a virtiofs device can tell.
    /// Source: virtio 1.2, section 5.11.4.
    static let longestTag = 36

    /// - Parameter daemon: What libvirt starts to serve the folder. It ends with QEMU.
    func element(daemon: String) -> DomainElement {
        DomainElement(
            "filesystem", ["type": "mount", "accessmode": "passthrough"],
            [
                DomainElement("driver", ["type": "virtiofs"]),
                DomainElement("binary", ["path": daemon, "xattr": "on"]),
                DomainElement("source", ["dir": path]),
                DomainElement("target", ["dir": tag]),
                RootBus.address(HotplugBus.sharedFolder, bus: HotplugBus.number),
            ])
    }

    /// The daemon works in the guest's memory, which must be shared with it for that.
    static let memoryBacking = DomainElement(
        "memoryBacking",
        [DomainElement("source", ["type": "memfd"]), DomainElement("access", ["mode": "shared"])])
}
