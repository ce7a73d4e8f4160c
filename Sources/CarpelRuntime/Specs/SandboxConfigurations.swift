import CarpelAPI
import CarpelCore
import CarpelGuestProtocol
import CarpelPluginSDK

/// What the agent is told of a pod that has been validated.
///
/// - Parameters:
///   - clock: nanoseconds since 1970.
///   - entropy: at least 32 random bytes.
///   - addresses: the pod's own, for /etc/hosts.
///   - networkDNS: what the pod's network offers to a pod that was given no DNS configuration.
/// - Throws: `.internal`/`entropyMissing`.
func sandboxConfiguration(
    of config: PodSandboxConfig, scratchDisk: String, clock: UInt64, entropy: [UInt8], addresses: [String] = [],
    networkDNS: DNS? = nil
) throws -> SandboxConfiguration {
    guard entropy.count >= 32 else {
        throw CarpelError(
            .internal, "entropyMissing", "a machine needs 32 random bytes to start with, not \(entropy.count)")
    }
    let hostname = hostname(of: config)
    var sysctls: [String: String] = [:]
    for (name, value) in config.linux?.sysctls ?? [:] {
        sysctls[try guestSysctlName(name, at: "config.linux.sysctls[\(name)]")] = value
    }
    return SandboxConfiguration(
        hostname: hostname, resolvConf: resolvConf(config.dnsConfig ?? networkDNS.map(DNSConfig.init)),
        hosts: hosts(hostname, addresses: addresses),
        sysctls: sysctls, clock: clock, entropy: entropy, scratchDisk: scratchDisk)
}

extension DNSConfig {
    fileprivate init(_ dns: DNS) {
        self.init()
        servers = dns.servers
        searches = dns.searches
        options = dns.options
    }
}

/// The pod's own name where CRI gives none: in small letters, with a hyphen for what no host name has, at most 63 bytes.
func hostname(of config: PodSandboxConfig) -> String {
    guard config.hostname.isEmpty else { return config.hostname }
    let name = config.metadata?.name.lowercased() ?? ""
    let letters = name.unicodeScalars.map { $0.isASCII && UInt8($0.value).isHostnameByte ? Character($0) : "-" }
    let trimmed = String(letters.drop { $0 == "-" }.prefix(63))
    let end = trimmed.lastIndex { $0 != "-" }
    return end.map { String(trimmed[...$0]) } ?? "pod"
}

/// Source: resolv.conf(5). Without servers there is nothing to write: the node's own file may name a resolver
/// that only the node reaches.
private func resolvConf(_ dns: DNSConfig?) -> String {
    guard let dns, dns != DNSConfig() else { return "# The pod was given no DNS configuration.\n" }
    var lines: [String] = []
    if !dns.searches.isEmpty { lines.append("search \(dns.searches.joined(separator: " "))") }
    lines += dns.servers.map { "nameserver \($0)" }
    if !dns.options.isEmpty { lines.append("options \(dns.options.joined(separator: " "))") }
    return lines.map { $0 + "\n" }.joined()
}

/// The names that every distribution writes for the loopback and IPv6's groups (RFC 4291, 2.7), then the pod's own,
/// which stands for the loopback while the pod has no address.
private func hosts(_ hostname: String, addresses: [String]) -> String {
    let short = hostname.prefix { $0 != "." }
    let names = short == hostname ? hostname : "\(hostname) \(short)"
    let own = addresses.isEmpty ? ["127.0.0.1", "::1"] : addresses
    let lines =
        [
            "127.0.0.1\tlocalhost", "::1\tlocalhost ip6-localhost ip6-loopback", "fe00::\tip6-localnet",
            "ff00::\tip6-mcastprefix", "ff02::1\tip6-allnodes", "ff02::2\tip6-allrouters",
        ] + own.map { "\($0)\t\(names)" }
    return lines.map { $0 + "\n" }.joined()
}
