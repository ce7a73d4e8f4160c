import CarpelAPI
import CarpelCore
import Glibc

/// Refuses what a resolver would not read: resolv.conf(5) has one keyword a line and no quoting.
func checkDNS(_ dns: DNSConfig, at field: String) throws {
    guard dns.servers.count <= 3 else {
        throw CarpelError.invalid(
            "\(field).servers", "\(dns.servers.count) servers; resolvers read the first 3 (MAXNS)")
    }
    for (index, server) in dns.servers.enumerated() where !isAddress(server) {
        throw CarpelError.invalid("\(field).servers[\(index)]", "\"\(server)\" is not an IPv4 or IPv6 address")
    }
    try checkSearches(dns.searches, at: "\(field).searches")
    for (index, option) in dns.options.enumerated() where !isWord(option) {
        throw CarpelError.invalid("\(field).options[\(index)]", "\"\(option)\" is not one word such as ndots:5")
    }
}

/// Kubernetes' limits: 32 domains of 2048 bytes together.
private func checkSearches(_ searches: [String], at field: String) throws {
    guard searches.count <= 32, searches.reduce(0, { $0 + $1.utf8.count + 1 }) <= 2049 else {
        throw CarpelError.invalid(field, "at most 32 search domains of 2048 bytes together")
    }
    for (index, domain) in searches.enumerated() where !isWord(domain) || domain.utf8.count > 254 {
        throw CarpelError.invalid("\(field)[\(index)]", "\"\(domain)\" is not a domain such as cluster.local")
    }
}

private func isWord(_ text: String) -> Bool {
    !text.isEmpty
        && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") && $0 != UInt8(ascii: ";") }
}

/// `10.0.0.1`, `fd00::1`, or `fe80::1%eth0`: a link-local server needs its interface.
func isAddress(_ text: String) -> Bool {
    var buffer = in6_addr()
    if inet_pton(AF_INET, text, &buffer) == 1 { return isWord(text) }
    let parts = text.split(separator: "%", omittingEmptySubsequences: false)
    guard let address = parts.first, parts.count <= 2, parts.count == 1 || isWord(String(parts[1])) else {
        return false
    }
    return isWord(text) && inet_pton(AF_INET6, String(address), &buffer) == 1
}
