import CarpelCore
import CarpelPluginSDK

/// What ADD of a chain has answered.
///
/// Source: CNI specification 1.1.0, section 5; the versions from 0.3.0 on have the same members.
struct CNIResult: Decodable, Sendable, Equatable {
    struct Interface: Decodable, Sendable, Equatable {
        let name: String
        let mac: String?
        /// The namespace's path; nil or empty on the host.
        let sandbox: String?
        let mtu: Int?
    }

    struct Address: Decodable, Sendable, Equatable {
        /// With the length of its prefix.
        let address: String
        let gateway: String?
        /// An index into the interfaces.
        let interface: Int?
    }

    struct Route: Decodable, Sendable, Equatable {
        let dst: String
        let gw: String?
    }

    struct DNS: Decodable, Sendable, Equatable {
        let nameservers: [String]?
        let domain: String?
        let search: [String]?
        let options: [String]?
    }

    let interfaces: [Interface]?
    let ips: [Address]?
    let routes: [Route]?
    let dns: DNS?

    /// The addresses of the pod's own interface. What says no interface is meant for it.
    func addresses(of interfaceName: String) -> [Address] {
        let interfaces = interfaces ?? []
        return (ips ?? []).filter { address in
            guard let index = address.interface else { return true }
            guard interfaces.indices.contains(index) else { return false }
            return interfaces[index].name == interfaceName && !(interfaces[index].sandbox ?? "").isEmpty
        }
    }
}
