import Glibc

/// How the plugin marks what it makes on the host, so that it touches nothing else.
struct Ownership: Sendable {
    /// Eight hexadecimal digits that follow from the state folder's place: the same after a restart, another for the
    /// plugin of another daemon.
    let id: String
    let stateFolder: String

    init(stateFolder: String) {
        let real = realpath(stateFolder, nil)
        defer { free(real) }
        self.stateFolder = real.map { String(cString: $0) } ?? stateFolder
        id = hexadecimal(stableHash(self.stateFolder) & 0xffff_ffff, digits: 8)
    }

    /// The nftables tables' name.
    var table: String { "carpel-\(id)" }

    /// A table's comment has at most 127 bytes.
    var comment: String { "network-bridge in \(safe(stateFolder.suffix(100)))" }

    /// The alias of a bridge; it has at most 255 bytes.
    var bridgeAlias: String { "carpel:\(id):\(stateFolder)".prefix(utf8: 255) }

    func alias(of key: AttachmentKey) -> String { "carpel:\(id):\(key.pod):\(key.network):\(key.interface)" }

    /// - Returns: nil if the alias is not one of ours, or a bridge's.
    func key(alias: String) -> AttachmentKey? {
        let parts = alias.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 5, parts[0] == "carpel", parts[1] == id else { return nil }
        return AttachmentKey(pod: parts[2], network: parts[3], interface: parts[4])
    }

    /// The bridge's own card, which marks it before its alias does.
    func macAddress(ofBridge name: String) -> MACAddress {
        MACAddress(locallyAdministered: stableHash("\(stateFolder)/\(name)"))
    }

    private func safe(_ text: Substring) -> String {
        String(text.map { $0 == "\"" || $0 == "\\" || $0.isNewline ? "_" : $0 })
    }
}

extension String {
    fileprivate func prefix(utf8 count: Int) -> String { String(decoding: utf8.prefix(count), as: UTF8.self) }
}
