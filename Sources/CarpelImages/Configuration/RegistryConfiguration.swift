/// How to reach one registry.
public struct RegistryConfiguration: Codable, Equatable, Sendable {
    public enum Scheme: String, Codable, Sendable {
        case http
        case https
    }

    /// `http` sends images and credentials in the clear: for registries on this host or a trusted wire.
    public var scheme = Scheme.https
    /// A PEM file with authorities to trust beside the system's.
    public var caFile: String?

    public init(scheme: Scheme = .https, caFile: String? = nil) {
        self.scheme = scheme
        self.caFile = caFile
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        try values.read(.scheme, into: &scheme)
        caFile = try values.decodeIfPresent(String.self, forKey: .caFile)
    }
}
