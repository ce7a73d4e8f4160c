import CarpelPluginSDK
import FoundationEssentials

/// The plugin's networks, by their names.
struct BridgeConfiguration: Sendable {
    let networks: [String: Network]

    /// - Throws: ``PluginError`` with `configurationInvalid`, and the member that is at fault.
    init(json: [UInt8]) throws {
        let document = try Self.decode(json)
        guard let described = document.networks else {
            networks = ["default": try Network(name: "default", NetworkDocument.standard)]
            return
        }
        networks = try Dictionary(
            uniqueKeysWithValues: described.map { name, network in (name, try Network(name: name, network)) })
        try refuseOverlaps()
    }

    /// - Throws: ``PluginError`` with `.notFound` and `networkUnknown`.
    func network(_ name: String) throws -> Network {
        guard let network = networks[name] else {
            let known = networks.keys.sorted().joined(separator: ", ")
            throw PluginError(
                .notFound, "networkUnknown", "there is no network \(name); the configuration has \(known)")
        }
        return network
    }

    private func refuseOverlaps() throws {
        let all = networks.values.sorted { $0.name < $1.name }
        for (index, one) in all.enumerated() {
            for other in all[(index + 1)...] {
                guard one.bridge != other.bridge else {
                    throw invalid("\(one.path).bridge", "\(one.bridge) is also the bridge of \(other.name)")
                }
                for (pool, subnet) in one.pools.flatMap({ pool in other.pools.map { (pool, $0.subnet) } })
                where pool.subnet.overlaps(subnet) {
                    throw invalid("\(one.path).subnets", "\(pool.subnet) overlaps \(subnet) of \(other.name)")
                }
            }
        }
    }

    private static func decode(_ json: [UInt8]) throws -> ConfigurationDocument {
        do {
            return try JSONDecoder().decode(ConfigurationDocument.self, from: Data(json))
        } catch let error as DecodingError {
            throw invalid(path(of: error), "\(error)")
        }
    }

    private static func path(of error: DecodingError) -> String {
        switch error {
        case .keyNotFound(_, let context), .valueNotFound(_, let context), .typeMismatch(_, let context),
            .dataCorrupted(let context):
            context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
        @unknown default: "the configuration"
        }
    }
}

func invalid(_ path: String, _ problem: String) -> PluginError {
    PluginError(.invalidArgument, "configurationInvalid", "\(path): \(problem)")
}
