/// How images are pulled and kept. Part of the daemon's configuration file; every field has a default.
public struct ImagesConfiguration: Codable, Equatable, Sendable {
    /// By registry as it stands in references: `docker.io`, `registry.example:5000`.
    public var registries: [String: RegistryConfiguration] = [:]
    public var limits = ImageLimits()
    public var transfer = TransferConfiguration()
    /// Blobs that are downloaded at the same time, over all pulls.
    public var parallelDownloads = 3
    /// Layers that become disks at the same time, over all pulls.
    public var parallelUnpacks = 2

    public init() {}

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        try values.read(.registries, into: &registries)
        try values.read(.limits, into: &limits)
        try values.read(.transfer, into: &transfer)
        try values.read(.parallelDownloads, into: &parallelDownloads)
        try values.read(.parallelUnpacks, into: &parallelUnpacks)
    }
}

extension KeyedDecodingContainer {
    /// Sets `value` if the key is there: what a file leaves out keeps its default.
    func read<Value: Decodable>(_ key: Key, into value: inout Value) throws {
        if let given = try decodeIfPresent(Value.self, forKey: key) { value = given }
    }
}
