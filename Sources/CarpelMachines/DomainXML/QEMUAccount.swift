/// Who QEMU runs as.
enum QEMUAccount {
    /// `relabel='no'`: libvirt would give every file of the domain to QEMU's account, the kernel and the shared layers
    /// too, and back to root when the first of several machines ends. Carpel gives it the writable disks, and those only.
    static func label(user: String, group: String) -> DomainElement {
        DomainElement(
            "seclabel", ["type": "static", "model": "dac", "relabel": "no"],
            [DomainElement("label", text: "\(user):\(group)")])
    }
}
