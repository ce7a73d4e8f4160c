import CarpelPluginSDK
import GRDB

/// Which card of which pod on which network.
struct AttachmentKey: Sendable, Hashable, CustomStringConvertible {
    let pod: String
    let network: String
    let interface: String

    init(pod: String, network: String, interface: String) {
        self.pod = pod
        self.network = network
        self.interface = interface
    }

    init(_ request: NetworkDeleteRequest) {
        self.init(pod: request.podID, network: request.network, interface: request.interfaceName)
    }

    init(_ request: NetworkAddRequest) {
        self.init(pod: request.pod.id, network: request.network, interface: request.interfaceName)
    }

    var deleteRequest: NetworkDeleteRequest {
        NetworkDeleteRequest(podID: pod, network: network, interfaceName: interface)
    }

    var description: String { "\(interface) of the pod \(pod) on the network \(network)" }
}

/// A pod that is on a network, or is being put on it or taken off.
struct AttachmentRecord: Codable, Sendable, Hashable, FetchableRecord, PersistableRecord {
    static let databaseTableName = "attachment"

    var pod: String
    var network: String
    var interface: String
    /// The tap's name, which nobody else has.
    var device: String
    var bridge: String
    var macAddress: String
    var request: NetworkAddRequest
    var answer: NetworkAttachment

    var key: AttachmentKey { AttachmentKey(pod: pod, network: network, interface: interface) }

    /// Of the pod, without their prefixes.
    var addresses: [IPAddress] {
        answer.addresses.compactMap { $0.address.split(separator: "/").first.flatMap { IPAddress(String($0)) } }
    }

    /// The device that what the pod sends waits in, if that is limited.
    var limiter: String { "cpi" + device.dropFirst(3) }
}

/// An address of a network that a pod has, or that one has had.
struct AddressRecord: Codable, Sendable, FetchableRecord, PersistableRecord {
    static let databaseTableName = "address"

    var network: String
    var address: String
    /// Whose it is; nil: nobody's any more.
    var pod: String?
    var interface: String?
    /// A number that grows with each release; nil while a pod has the address.
    var released: Int64?
}

/// A port of the host that leads to a pod.
struct PortRecord: Codable, Sendable, FetchableRecord, PersistableRecord {
    static let databaseTableName = "port"

    var transport: PortMapping.TransportProtocol
    var hostPort: UInt16
    /// `*`: all of the host's addresses.
    var hostAddress: String
    var pod: String
    var network: String
    var interface: String
}

/// Where the search for an address that nobody has had begins.
struct CursorRecord: Codable, Sendable, FetchableRecord, PersistableRecord {
    static let databaseTableName = "cursor"

    var network: String
    var subnet: String
    /// The last address that was handed out in order.
    var last: String
}
