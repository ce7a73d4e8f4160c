/// How libvirt verifies the processor that QEMU made.
///
/// Source: https://libvirt.org/drvqemu.html#control-qemu-feature-support
enum ProcessorCheck {
    static let namespace = "http://libvirt.org/schemas/domain/qemu/1.0"

    /// libvirt asks QEMU for each of some four hundred features, in two passes and one call each, before the guest may
    /// run: 200 ms. If it believes that QEMU cannot tell which features are unavailable it reads a single bit map, in
    /// 10 ms. Neither model that Carpel uses names a feature, so there is nothing to verify.
    static let short = DomainElement(
        "qemu:capabilities", [DomainElement("qemu:del", ["capability": "cpu-unavailable-features"])])
}
