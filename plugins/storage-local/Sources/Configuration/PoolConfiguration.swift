import CarpelPluginSDK
import FoundationEssentials

/// The plugin's part of the daemon's configuration; `configurationSchema` in plugin.json describes it.
struct PoolConfiguration: Sendable, Equatable {
    /// An absolute path; nil: `pool` in the plugin's state folder.
    var pool: String?
    /// nil: what the pool's file system has.
    var capacityBytes: Int64?
    /// Of a volume that asks for none and has no source.
    var defaultCapacityBytes: Int64 = 1 << 30

    /// - Throws: ``PluginError`` with `configurationInvalid` that names the member.
    init(json: [UInt8]) throws {
        do {
            self = try JSONDecoder().decode(Self.self, from: Data(json))
        } catch let DecodingError.typeMismatch(_, context) {
            throw Self.invalid("\(context.codingPath.map(\.stringValue).joined()): \(context.debugDescription)")
        } catch let DecodingError.dataCorrupted(context) {
            throw Self.invalid(context.debugDescription)
        }
        if let pool, !pool.hasPrefix("/") { throw Self.invalid("pool must be an absolute path, and is \"\(pool)\"") }
        if let capacityBytes, capacityBytes < 1 { throw Self.invalid("capacityBytes must be 1 or more") }
        if defaultCapacityBytes < 1 { throw Self.invalid("defaultCapacityBytes must be 1 or more") }
    }

    private static func invalid(_ what: String) -> PluginError {
        PluginError(.invalidArgument, "configurationInvalid", "the configuration of the storage plugin: \(what)")
    }
}

extension PoolConfiguration: Decodable {
    private struct Member: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }

        static let pool = Member(stringValue: "pool")
        static let capacityBytes = Member(stringValue: "capacityBytes")
        static let defaultCapacityBytes = Member(stringValue: "defaultCapacityBytes")
        static let all: Set = ["pool", "capacityBytes", "defaultCapacityBytes"]
    }

    init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: Member.self)
        if let unknown = members.allKeys.map(\.stringValue).sorted().first(where: { !Member.all.contains($0) }) {
            throw Self.invalid("there is no member \"\(unknown)\", but \(Member.all.sorted().joined(separator: ", "))")
        }
        pool = try members.decodeIfPresent(String.self, forKey: .pool)
        capacityBytes = try members.decodeIfPresent(Int64.self, forKey: .capacityBytes)
        if let bytes = try members.decodeIfPresent(Int64.self, forKey: .defaultCapacityBytes) {
            defaultCapacityBytes = bytes
        }
    }
}
