import CarpelAPI

/// A port of the node that goes to one of the pod: `[address:]port:port[/protocol]`.
struct PublishedPort: Equatable {
    let hostAddress: String
    let hostPort: UInt16
    let containerPort: UInt16
    let transport: NetworkProtocol

    /// - Throws: `CarpelError` with `.invalidArgument`.
    init(_ text: String) throws {
        let halves = text.split(separator: "/", omittingEmptySubsequences: false)
        // An IPv6 address stands in brackets and has colons of its own: the ports are the last two parts.
        let parts = halves[0].split(separator: ":", omittingEmptySubsequences: false)
        let address = parts.dropLast(2).joined(separator: ":")
        let isBracketed = address.hasPrefix("[") && address.hasSuffix("]") && address.count > 2
        guard halves.count <= 2, parts.count >= 2, let host = Self.port(parts[parts.count - 2]),
            let container = Self.port(parts[parts.count - 1]), isBracketed || parts.count <= 3,
            let transport = NetworkProtocol(rawValue: halves.count == 2 ? halves[1].uppercased() : "TCP")
        else { throw invalid("--publish", text, "[address:]port:port[/tcp|udp|sctp], such as 127.0.0.1:8080:80") }
        hostAddress = isBracketed ? String(address.dropFirst().dropLast()) : address
        hostPort = host
        containerPort = container
        self.transport = transport
    }

    var mapping: PortMapping {
        PortMapping {
            $0.hostIp = hostAddress
            $0.hostPort = Int32(hostPort)
            $0.containerPort = Int32(containerPort)
            $0.protocol = transport
        }
    }

    private static func port(_ text: Substring) -> UInt16? { UInt16(text).flatMap { $0 > 0 ? $0 : nil } }
}
