import CarpelCore
import CarpelPluginSDK

/// The verbs of one network plugin.
///
/// Every verb takes the most that it may last, nil for the configured limit, and throws `CarpelError`: the plugin's
/// own, or `UNAVAILABLE`/`pluginDied`, `pluginFailed` or `pluginBackingOff`, `DEADLINE_EXCEEDED`/`deadlineExceeded`,
/// `CANCELLED`/`cancelled`, `INTERNAL`/`answerMalformed`.
///
/// CHECK and DEL reach the version of the plugin that has done the ADD.
public struct NetworkCalls: Sendable {
    let plugin: any PluginCalling

    public func add(_ request: NetworkAddRequest, timeout: Duration? = nil) async throws -> NetworkAttachment {
        let attachment: NetworkAttachment = try await call(.add, request, timeout, .takes(request.user))
        // The kernel's limits for an Ethernet device.
        guard (68...65535).contains(attachment.mtu) else {
            throw plugin.malformed(NetworkVerb.add.rawValue, "mtu: \(attachment.mtu) is not between 68 and 65535")
        }
        return attachment
    }

    public func delete(_ request: NetworkDeleteRequest, timeout: Duration? = nil) async throws {
        let _: NoMembers = try await call(.delete, request, timeout, .gives(request.user))
    }

    public func check(_ request: NetworkCheckRequest, timeout: Duration? = nil) async throws {
        let _: NoMembers = try await call(.check, request, timeout, .uses(request.user))
    }

    public func collectGarbage(
        _ request: NetworkCollectRequest, timeout: Duration? = nil
    ) async throws -> NetworkCollectResponse {
        let valid = Set(request.valid.map(\.user))
        return try await call(.collectGarbage, request, timeout, .givesAll { !valid.contains($0) })
    }

    public func status(timeout: Duration? = nil) async throws {
        let _: NoMembers = try await call(.status, NoMembers(), timeout, .none)
    }

    private func call<Request: Encodable & Sendable, Answer: Decodable & Sendable>(
        _ verb: NetworkVerb, _ request: Request, _ timeout: Duration?, _ use: AttachmentUse
    ) async throws -> Answer {
        try await plugin.typedCall(verb.rawValue, request, timeout: timeout, use: use)
    }
}

extension NetworkAddRequest {
    fileprivate var user: AttachmentUser { AttachmentUser(of: [pod.id, network, interfaceName]) }
}

extension NetworkDeleteRequest {
    fileprivate var user: AttachmentUser { AttachmentUser(of: [podID, network, interfaceName]) }
}

extension NetworkCheckRequest {
    fileprivate var user: AttachmentUser { AttachmentUser(of: [podID, network, interfaceName]) }
}
