import CarpelPluginSDK
import Foundation
import Synchronization

/// A network plugin that is checked. It remembers whom it put on the network, so that a check leaves nobody there.
final class NetworkUnderTest: Sendable {
    let plugin: PluginUnderTest
    private let attached = Mutex<Set<NetworkDeleteRequest>>([])

    init(_ plugin: PluginUnderTest) { self.plugin = plugin }

    func add(_ request: NetworkAddRequest, timeout: Duration = .seconds(60)) async throws -> NetworkAttachment {
        attached.withLock { _ = $0.insert(request.owner) }
        return try await plugin.result(of: "ADD", request, timeout: timeout)
    }

    /// A pod that asks for nothing.
    func addPod(_ interface: String = "eth0") async throws -> (request: NetworkAddRequest, NetworkAttachment) {
        let request = newRequest(interface: interface)
        return (request, try await add(request))
    }

    func delete(_ owner: NetworkDeleteRequest) async throws {
        let _: NoMembers = try await plugin.result(of: "DEL", owner)
        attached.withLock { _ = $0.remove(owner) }
    }

    func check(_ owner: NetworkDeleteRequest, _ attachment: NetworkAttachment) async throws {
        let request = NetworkCheckRequest(
            podID: owner.podID, network: owner.network, interfaceName: owner.interfaceName, attachment: attachment)
        let _: NoMembers = try await plugin.result(of: "CHECK", request)
    }

    func collect(keeping valid: [NetworkDeleteRequest]) async throws -> Set<NetworkDeleteRequest> {
        let response: NetworkCollectResponse = try await plugin.result(
            of: "GC", NetworkCollectRequest(valid: valid))
        try expect(
            Set(response.removed).count == response.removed.count, "GC names the same one twice in \(response.removed)")
        return Set(response.removed)
    }

    func status() async throws {
        let _: NoMembers = try await plugin.result(of: "STATUS", NoMembers())
    }

    func newRequest(interface: String = "eth0") -> NetworkAddRequest {
        NetworkAddRequest(
            pod: PodIdentity(id: uniquePodID(), name: uniqueName("pod"), namespace: "default", uid: uniqueName("uid")),
            interfaceName: interface)
    }

    /// Takes off whoever a check has left.
    func clean() async {
        for owner in attached.withLock({ $0 }) { try? await delete(owner) }
    }
}

extension NetworkAddRequest {
    /// Who is put on the network, as the other verbs say it.
    var owner: NetworkDeleteRequest {
        NetworkDeleteRequest(podID: pod.id, network: network, interfaceName: interfaceName)
    }
}
