import CarpelPluginSDK
import Glibc

/// The configuration as it is written.
struct ConfigurationDocument: Decodable {
    var networks: [String: NetworkDocument]?
}

struct NetworkDocument: Decodable {
    var bridge: String?
    var subnets: [SubnetDocument]
    var masquerade: Bool?
    var isolate: Bool?
    var mtu: Int?
    var dns: DNSDocument?

    /// What a node has that configures nothing; without IPv6 where the kernel has none.
    static var standard: NetworkDocument {
        let hasIPv6 = access("/proc/sys/net/ipv6", F_OK) == 0
        let subnets = ["10.88.0.0/16"] + (hasIPv6 ? ["fd88::/64"] : [])
        return NetworkDocument(subnets: subnets.map { SubnetDocument(subnet: $0) })
    }
}

struct SubnetDocument: Decodable {
    var subnet: String
    var gateway: String?
    var range: String?
    var exclude: [String]?
}

struct DNSDocument: Decodable {
    var servers: [String]?
    var searches: [String]?
    var options: [String]?
}
