extension InterfaceSpec {
    func element(at address: DomainElement) -> DomainElement {
        var children = [
            // The network plugin made the tap device and will remove it.
            DomainElement("target", ["dev": tap, "managed": "no"]),
            DomainElement("mac", ["address": macAddress]),
            DomainElement("model", ["type": "virtio"]),
            // Boot is from the kernel: the option ROM would only take memory and time.
            DomainElement("rom", ["enabled": "no"]),
        ]
        if let mtu { children.append(DomainElement("mtu", ["size": "\(mtu)"])) }
        children.append(address)
        return DomainElement("interface", ["type": "ethernet"], children)
    }
}
