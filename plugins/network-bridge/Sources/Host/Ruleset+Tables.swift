extension Ruleset {
    /// Port mappings and masquerading.
    var addressTranslation: String {
        """
        table inet \(table) {
            comment "\(comment)"
            set bridges { type ifname; \(elements(networks.map(\.quotedBridge))) }
            set isolated { type ifname; \(elements(networks.filter(\.isIsolated).map(\.quotedBridge))) }
            set masqueraded4 { type ipv4_addr; flags interval; \(elements(masqueraded(.ipv4))) }
            set masqueraded6 { type ipv6_addr; flags interval; \(elements(masqueraded(.ipv6))) }
            map published4 { type inet_proto . ipv4_addr . inet_service : ipv4_addr . inet_service; }
            map published6 { type inet_proto . ipv6_addr . inet_service : ipv6_addr . inet_service; }
            map publishedEverywhere4 { type inet_proto . inet_service : ipv4_addr . inet_service; }
            map publishedEverywhere6 { type inet_proto . inet_service : ipv6_addr . inet_service; }

            chain publish {
                \(published("ip", digit: "4"))
                \(published("ip6", digit: "6"))
            }
            chain arriving {
                type filter hook prerouting priority raw; policy accept;
                iifname @bridges ip daddr 127.0.0.0/8 drop
            }
            chain prerouting {
                type nat hook prerouting priority dstnat; policy accept;
                jump publish
            }
            chain output {
                type nat hook output priority -100; policy accept;
                jump publish
            }
            chain forward {
                type filter hook forward priority filter; policy accept;
                iifname @isolated oifname @bridges drop
                iifname @bridges oifname @isolated drop
            }
            chain postrouting {
                type nat hook postrouting priority srcnat; policy accept;
                ip saddr 127.0.0.0/8 oifname @bridges masquerade
                \(hairpins.joined(separator: "\n        "))
                ip saddr @masqueraded4 oifname != @bridges masquerade
                ip6 saddr @masqueraded6 oifname != @bridges masquerade
            }
        }
        """
    }

    /// What every pod passes that is not on a chain of its own, and the jumps to those.
    var antiSpoofing: String {
        """
        table bridge \(table) {
            comment "\(comment)"
            map pods { type ifname : verdict; }
            set hairpins { type ifname . ifname; }

            chain prerouting {
                type filter hook prerouting priority dstnat; policy accept;
                iifname vmap @pods
            }
            chain forward {
                type filter hook forward priority filter; policy accept;
                iifname . oifname @hairpins ether daddr & 01:00:00:00:00:00 == 01:00:00:00:00:00 drop
            }
        }
        """
    }

    /// A mapping on one address of the host goes before one on all of them.
    ///
    /// ::1 is none of them: the kernel takes an answer for 127.0.0.1 from a bridge where route_localnet is set, and has
    /// nothing like it in IPv6. What is sent to ::1 is refused at once, and programs go on to 127.0.0.1.
    private func published(_ family: String, digit: String) -> String {
        let transports = "meta l4proto { tcp, udp, sctp }"
        let unanswerable = family == "ip6" ? "ip6 daddr != ::1 " : ""
        return """
            \(transports) dnat \(family) to meta l4proto . \(family) daddr . th dport map @published\(digit)
                    fib daddr type local \(unanswerable)\(transports) \
            dnat \(family) to meta l4proto . th dport map @publishedEverywhere\(digit)
            """
    }

    /// What pods send to each other by way of the host's ports: the answers must come back that way, too.
    private var hairpins: [String] {
        networks.flatMap { network in
            network.pools.map { pool in
                let family = pool.subnet.family == .ipv4 ? "ip" : "ip6"
                return "\(family) saddr \(pool.subnet) oifname \(network.quotedBridge) ct status dnat masquerade"
            }
        }
    }

    private func masqueraded(_ family: IPAddress.Family) -> [String] {
        networks.filter(\.masquerades).flatMap(\.pools).map(\.subnet).filter { $0.family == family }.map { "\($0)" }
    }

    private func elements(_ entries: [String]) -> String {
        entries.isEmpty ? "" : "elements = { \(entries.joined(separator: ", ")) };"
    }
}

extension Network {
    fileprivate var quotedBridge: String { "\"\(bridge)\"" }
}
