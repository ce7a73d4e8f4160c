/// Whether the host routes what pods send.
enum Forwarding {
    /// - Throws: ``SysctlError``.
    static func enable(_ families: Set<IPAddress.Family>, interfaces: [String]) throws {
        if families.contains(.ipv4) { try Sysctl.set("ipv4/ip_forward", "1") }
        guard families.contains(.ipv6), Sysctl.read("ipv6/conf/all/forwarding") != "1" else { return }
        // A router does not listen to other routers unless it is told to: the host would lose the addresses and routes
        // that it has learned from them.
        for interface in interfaces where Sysctl.read("ipv6/conf/\(interface)/accept_ra") == "1" {
            try Sysctl.set("ipv6/conf/\(interface)/accept_ra", "2")
        }
        try Sysctl.set("ipv6/conf/all/forwarding", "1")
    }

    /// The families that are asked for and not forwarded.
    static func missing(_ families: Set<IPAddress.Family>) -> [IPAddress.Family] {
        IPAddress.Family.allCases.filter { family in
            let path = family == .ipv4 ? "ipv4/ip_forward" : "ipv6/conf/all/forwarding"
            return families.contains(family) && Sysctl.read(path) != "1"
        }
    }
}
