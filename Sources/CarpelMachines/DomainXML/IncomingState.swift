/// What makes QEMU wait for a saved state instead of booting.
enum IncomingState {
    /// `defer`: where the state comes from is told over the monitor, as an open file.
    static let commandLine = DomainElement(
        "qemu:commandline",
        [
            DomainElement("qemu:arg", ["value": "-incoming"]),
            DomainElement("qemu:arg", ["value": "defer"]),
        ])
}
