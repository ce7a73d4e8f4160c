import CarpelPluginSDK
import FoundationEssentials

/// Who is on the network, and how. It is in a file, which is replaced as a whole.
struct Leases {
    private let file: URL
    private var attachments: [NetworkDeleteRequest: NetworkAttachment] = [:]

    private struct Lease: Codable {
        var owner: NetworkDeleteRequest
        var attachment: NetworkAttachment
    }

    init(file path: String) throws {
        file = URL(filePath: path)
        guard FileManager.default.fileExists(atPath: path) else { return }
        let leases = try JSONDecoder().decode([Lease].self, from: Data(contentsOf: file))
        attachments = Dictionary(leases.map { ($0.owner, $0.attachment) }) { first, _ in first }
    }

    var owners: Set<NetworkDeleteRequest> { Set(attachments.keys) }

    /// Without the length of their prefix.
    var addresses: Set<String> {
        Set(attachments.values.flatMap(\.addresses).map { String($0.address.prefix { $0 != "/" }) })
    }

    subscript(owner: NetworkDeleteRequest) -> NetworkAttachment? { attachments[owner] }

    /// Changes nothing if it cannot be written.
    mutating func set(_ attachment: NetworkAttachment?, for owner: NetworkDeleteRequest) throws {
        var changed = attachments
        changed[owner] = attachment
        let leases = changed.map { Lease(owner: $0.key, attachment: $0.value) }
        try JSONEncoder().encode(leases).write(to: file, options: .atomic)
        attachments = changed
    }
}
