/// The rules that what a pod sends must pass. All that they do not name is dropped: VLAN tags, other protocols, what
/// only a router or somebody else may say.
struct PodRules: Sendable {
    private let macAddress: String
    private let ipv4: [IPAddress]
    private let ipv6: [IPAddress]

    init(_ attachment: AttachmentRecord) {
        macAddress = attachment.macAddress
        ipv4 = attachment.addresses.filter { $0.family == .ipv4 }
        let linkLocal = MACAddress(attachment.macAddress).map { [$0.linkLocalAddress] } ?? []
        let assigned = attachment.addresses.filter { $0.family == .ipv6 }
        ipv6 = assigned.isEmpty ? [] : assigned + linkLocal
    }

    var rules: [String] {
        ["ether saddr != \(macAddress) drop"] + (ipv4.isEmpty ? [] : ipv4Rules) + (ipv6.isEmpty ? [] : ipv6Rules)
            + ["drop"]
    }

    private var ipv4Rules: [String] {
        let own = "{ \(ipv4.map { "\($0)" }.joined(separator: ", ")) }"
        return [
            "ether type ip ip saddr \(own) accept",
            "ether type arp arp saddr ether \(macAddress) arp saddr ip \(own) accept",
            // Asks whether somebody has an address before it is used (RFC 5227): about one's own only.
            "ether type arp arp operation request arp saddr ether \(macAddress) arp saddr ip 0.0.0.0 "
                + "arp daddr ip \(own) accept",
        ]
    }

    // Router advertisements and redirects are a router's to send; who advertises a neighbor
    // says who has an address. The target follows eight bytes into the message.
    private var ipv6Rules: [String] {
        let own = "{ \(ipv6.map { "\($0)" }.joined(separator: ", ")) }"
        let targets = ipv6.map { "@th,64,128 0x\(hexadecimal($0.value, digits: 32))" }
        return targets.map { "ether type ip6 ip6 saddr \(own) icmpv6 type nd-neighbor-advert \($0) accept" }
            + ["ether type ip6 icmpv6 type { nd-router-advert, nd-neighbor-advert, nd-redirect } drop"]
            + ["ether type ip6 ip6 saddr \(own) accept"]
            + targets.map { "ether type ip6 ip6 saddr :: icmpv6 type nd-neighbor-solicit \($0) accept" }
            + ["ether type ip6 ip6 saddr :: icmpv6 type mld2-listener-report accept"]
    }
}
