import CarpelCore
import CarpelPluginSDK

/// What is known of an attachment: written before the first thing is made, gone after the last one is.
struct AttachmentRecord: Codable, Sendable, Equatable {
    /// As it was asked for.
    let request: NetworkAddRequest
    /// The network's configuration at that time: DEL and CHECK are run with the same.
    let network: JSONValue
    /// Where that came from, for messages.
    let networkSource: String
    /// CNI's, such as `1.0.0`.
    let version: String
    let capabilityArguments: [String: JSONValue]
    /// The namespace's path.
    let namespace: String
    /// The tap device that the machine opens.
    let device: String
    /// The device beside it that leads into the namespace.
    let uplink: String
    var progress: Progress

    enum Progress: Codable, Sendable, Equatable {
        /// Anything may be there, or nothing.
        case adding
        /// - result: the chain's.
        case added(result: JSONValue, attachment: NetworkAttachment)
    }
}
