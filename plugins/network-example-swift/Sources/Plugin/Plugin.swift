import CarpelPluginSDK
import FoundationEssentials

@_cdecl("carpel_plugin") public func carpelPlugin() -> UnsafeRawPointer { export(network: RoutedNetwork.self) }

/// Gives every pod a tap device of its own, and an address that the host routes to it.
///
/// An actor does one verb at a time; nothing here is worth doing two at once.
actor RoutedNetwork: NetworkPlugin {
    private let machineGroup: UInt32
    private let pool: AddressPool
    private var leases: Leases

    private struct Configuration: Decodable {
        /// The first three numbers of the pods' addresses.
        var prefix: String?
    }

    init(environment: PluginEnvironment) async throws {
        let configuration = try JSONDecoder().decode(Configuration.self, from: Data(environment.configuration))
        machineGroup = environment.machineGroup
        pool = try AddressPool(prefix: configuration.prefix ?? "10.77.0")
        leases = try Leases(file: "\(environment.stateFolder)/leases.json")
    }

    func add(_ request: NetworkAddRequest) async throws -> NetworkAttachment {
        guard request.portMappings.isEmpty, request.bandwidth == nil else {
            throw PluginError(
                .unimplemented, "notOffered", "this network has no port mappings and no bandwidth limits")
        }
        let owner = NetworkDeleteRequest(
            podID: request.pod.id, network: request.network, interfaceName: request.interfaceName)
        if let attachment = leases[owner] {
            guard request.addresses.allSatisfy({ attachment.addresses[0].address == "\($0)/32" }) else {
                throw PluginError(.alreadyExists, "otherAddress", "the pod has \(attachment.addresses[0].address)")
            }
            try tap(of: attachment).make(for: machineGroup)
            return attachment
        }
        try Task.checkCancellation()
        let attachment = try attachment(for: request)
        // What is noted first cannot be forgotten: a crash after this leaves what the next DEL or GC takes away.
        try leases.set(attachment, for: owner)
        do {
            try tap(of: attachment).make(for: machineGroup)
        } catch {
            try tap(of: attachment).remove()
            try leases.set(nil, for: owner)
            throw error
        }
        return attachment
    }

    func delete(_ request: NetworkDeleteRequest) async throws {
        guard let attachment = leases[request] else { return }
        try tap(of: attachment).remove()
        try leases.set(nil, for: request)
    }

    func check(_ request: NetworkCheckRequest) async throws {
        let owner = NetworkDeleteRequest(
            podID: request.podID, network: request.network, interfaceName: request.interfaceName)
        guard let attachment = leases[owner], attachment == request.attachment else {
            throw PluginError(.notFound, "notAttached", "the pod is not on the network in this way")
        }
        guard tap(of: attachment).exists else {
            throw PluginError(.notFound, "deviceMissing", "there is no device \(attachment.device)")
        }
    }

    func collectGarbage(_ request: NetworkCollectRequest) async throws -> NetworkCollectResponse {
        let removed = leases.owners.subtracting(request.valid)
        for owner in removed { try await delete(owner) }
        return NetworkCollectResponse(removed: Array(removed))
    }

    func status() async throws {
        guard pool.firstFree(except: leases.addresses) != nil else { throw AddressPool.empty }
        try TapDevice.checkDriver()
    }

    private func attachment(for request: NetworkAddRequest) throws -> NetworkAttachment {
        let address: String
        if let wanted = request.addresses.first {
            guard request.addresses.count == 1, pool.contains(wanted) else {
                throw PluginError(
                    .invalidArgument, "addressImpossible", "a pod has one address of \(pool.prefix).2 to .254 here")
            }
            guard !leases.addresses.contains(wanted) else {
                throw PluginError(.alreadyExists, "addressTaken", "another pod has \(wanted)")
            }
            address = wanted
        } else if let free = pool.firstFree(except: leases.addresses) {
            address = free
        } else {
            throw AddressPool.empty
        }
        let hexadecimal = pool.hexadecimalNumbers(of: address)
        return NetworkAttachment(
            device: "tap" + hexadecimal.joined(),
            macAddress: request.macAddress ?? "02:00:" + hexadecimal.joined(separator: ":"), mtu: 1500,
            addresses: [IPConfiguration(address: "\(address)/32", gateway: pool.gateway)],
            routes: [
                Route(destination: "\(pool.gateway)/32"), Route(destination: "0.0.0.0/0", gateway: pool.gateway),
            ])
    }

    private func tap(of attachment: NetworkAttachment) -> TapDevice {
        let address = String(attachment.addresses[0].address.dropLast("/32".count))
        return TapDevice(name: attachment.device, address: pool.gateway, peer: address)
    }
}
