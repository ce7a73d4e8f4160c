import CarpelPluginSDK

/// A network of a pod: what its plugin is asked, and what it has answered.
struct AttachedNetwork: Codable, Sendable, Equatable {
    var plugin: String
    var request: NetworkAddRequest
    /// nil until the plugin has answered.
    var attachment: NetworkAttachment?

    var deletion: NetworkDeleteRequest {
        NetworkDeleteRequest(
            podID: request.pod.id, network: request.network, interfaceName: request.interfaceName)
    }
}
