/// The virtio-serial port between the agent and the host.
struct AgentChannel: Sendable {
    /// What the guest finds the port by, in `/sys/class/virtio-ports/*/name`.
    static let portName = "dev.carpel.agent"

    let path: String

    var element: DomainElement {
        DomainElement(
            "channel", ["type": "unix"],
            [
                DomainElement("source", ["mode": "bind", "path": path]),
                DomainElement("target", ["type": "virtio", "name": Self.portName]),
            ])
    }
}
