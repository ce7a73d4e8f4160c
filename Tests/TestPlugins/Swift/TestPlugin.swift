import CarpelPluginSDK

/// A network plugin whose answers tell about the process that it is in.
actor TestPlugin: NetworkPlugin {
    struct Configuration: Codable {
        var greeting: String?
    }

    private let configuration: Configuration
    private var attachments: [String: NetworkAttachment] = [:]

    init(environment: PluginEnvironment) async throws {
        configuration = try environment.configuration(as: Configuration.self)
        log("\(environment.name) says \(configuration.greeting ?? "nothing")")
    }

    func add(_ request: NetworkAddRequest) async throws -> NetworkAttachment {
        if request.network == "forever" {
            log("\(request.pod.id) waits for ever")
            defer { log("\(request.pod.id) waits no longer") }
            try await Task.sleep(for: .seconds(3600))
        }
        if let attachment = attachments[request.pod.id] { return attachment }
        let attachment = NetworkAttachment(
            device: "tap0", macAddress: "02:00:00:00:00:01", mtu: 1500,
            addresses: request.addresses.map { IPConfiguration(address: "\($0)/24") })
        attachments[request.pod.id] = attachment
        return attachment
    }

    func delete(_ request: NetworkDeleteRequest) { attachments[request.podID] = nil }

    func check(_ request: NetworkCheckRequest) throws {
        guard attachments[request.podID] == request.attachment else {
            throw PluginError(.notFound, "attachmentMissing", "\(request.podID) is not on the network")
        }
    }

    func collectGarbage(_ request: NetworkCollectRequest) -> NetworkCollectResponse {
        let valid = Set(request.valid.map(\.podID))
        let removed = attachments.keys.filter { !valid.contains($0) }.sorted()
        for pod in removed { attachments[pod] = nil }
        return NetworkCollectResponse(removed: removed.map { NetworkDeleteRequest(podID: $0) })
    }

    func status() {}
}

@_cdecl("carpel_plugin") public func carpelPlugin() -> UnsafeRawPointer { export(network: TestPlugin.self) }
