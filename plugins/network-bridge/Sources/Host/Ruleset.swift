/// What nftables is told: two tables that nobody else writes to.
///
/// The table of the family inet maps ports and masquerades; the one of the family bridge keeps pods to their own
/// addresses. Each attachment is a chain named after its tap in the latter, and elements of maps in both.
struct Ruleset: Sendable {
    /// The name of both tables.
    let table: String
    /// What `nft list tables` says of them.
    let comment: String
    let networks: [Network]

    /// Replaces both tables, in one transaction: no packet passes in between.
    func replacement(with attachments: [AttachmentRecord]) -> String {
        """
        add table inet \(table)
        delete table inet \(table)
        add table bridge \(table)
        delete table bridge \(table)
        \(addressTranslation)
        \(antiSpoofing)
        \(attachments.map(addition).joined(separator: "\n"))
        """
    }

    func addition(_ attachment: AttachmentRecord) -> String {
        let device = attachment.device
        var commands = ["add chain bridge \(table) \(device)", "flush chain bridge \(table) \(device)"]
        commands += PodRules(attachment).rules.map { "add rule bridge \(table) \(device) \($0)" }
        commands += elements(attachment).map { "add element \($0.set) { \($0.entry) }" }
        return commands.joined(separator: "\n")
    }

    /// - Throws nothing, but the commands fail if anything of the attachment is missing.
    func removal(_ attachment: AttachmentRecord) -> String {
        let device = attachment.device
        var commands = elements(attachment).map { "delete element \($0.set) { \($0.key) }" }
        commands += ["flush chain bridge \(table) \(device)", "delete chain bridge \(table) \(device)"]
        return commands.joined(separator: "\n")
    }

    struct Element: Sendable {
        /// Family, table and name of the map or set.
        let set: String
        let key: String
        /// With the value, in a map.
        let entry: String
    }

    func elements(_ attachment: AttachmentRecord) -> [Element] {
        let device = attachment.device
        var result = [
            Element(set: "bridge \(table) pods", key: "\"\(device)\"", entry: "\"\(device)\" : jump \(device)")
        ]
        if attachment.usesHairpin {
            let pair = "\"\(device)\" . \"\(device)\""
            result.append(Element(set: "bridge \(table) hairpins", key: pair, entry: pair))
        }
        for mapping in attachment.portMappings {
            for address in attachment.addresses where mapping.hostAddress.families.contains(address.family) {
                result.append(element(mapping, to: address))
            }
        }
        return result
    }

    private func element(_ mapping: ValidRequest.Mapping, to address: IPAddress) -> Element {
        let digit = address.family == .ipv4 ? "4" : "6"
        let transport = mapping.transport.rawValue
        let target = "\(address) . \(mapping.containerPort)"
        if case .one(let host) = mapping.hostAddress {
            let key = "\(transport) . \(host) . \(mapping.hostPort)"
            return Element(set: "inet \(table) published\(digit)", key: key, entry: "\(key) : \(target)")
        }
        let key = "\(transport) . \(mapping.hostPort)"
        return Element(set: "inet \(table) publishedEverywhere\(digit)", key: key, entry: "\(key) : \(target)")
    }
}

extension AttachmentRecord {
    var portMappings: [ValidRequest.Mapping] {
        request.portMappings.compactMap { ValidRequest.Mapping(recorded: $0) }
    }

    /// Where bridge-nf-call-iptables is on, what a pod sends to itself by way of the host's port never leaves the
    /// bridge: it must be let out of the port that it came from.
    var usesHairpin: Bool { !request.portMappings.isEmpty }
}
