extension DomainDescription {
    var console: [DomainElement] {
        // QEMU holds the file open for appending, so that it can be truncated under it.
        let file = DomainElement("source", ["path": spec.bootLogPath, "append": "on"])
        return switch configuration.console {
        case .none: []
        case .serial:
            [
                DomainElement(
                    "serial", ["type": "file"], [file, DomainElement("target", ["type": "isa-serial", "port": "0"])])
            ]
        case .virtio:
            [
                DomainElement(
                    "console", ["type": "file"], [file, DomainElement("target", ["type": "virtio", "port": "0"])])
            ]
        }
    }
}
