import CarpelPluginSDK

/// A storage plugin's volume in a pod: what the plugin is asked, and what it has answered.
struct PublishedVolume: Codable, Sendable, Equatable {
    /// What the pod's mounts call it.
    var name: String
    /// Under which the guest finds its disk.
    var serial: String
    var plugin: String
    var request: PublishVolumeRequest
    /// nil until the plugin has answered.
    var publication: VolumePublication?

    var withdrawal: UnpublishVolumeRequest {
        UnpublishVolumeRequest(volumeID: request.volumeID, podID: request.podID)
    }
}
