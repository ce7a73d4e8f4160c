import CarpelAPI
import CarpelCore
import CarpelGuestProtocol
import CarpelMachines
import CarpelPluginSDK

extension PodSandbox {
    /// Puts the pod on each of its networks.
    func addNetworks() async throws {
        for network in record.networks { try await add(network) }
    }

    func add(_ network: AttachedNetwork) async throws {
        let attachment = try await environment.plugins.network(network.plugin).add(network.request)
        guard let index = record.networks.firstIndex(where: { $0.request == network.request }) else { return }
        record.networks[index].attachment = attachment
    }

    /// Takes the pod off every network that it is on or may be on.
    /// - Throws: the first failure, after all have been tried; the networks that failed stay in the record.
    func deleteNetworks() async throws {
        var failure: (any Error)?
        for network in record.networks.reversed() {
            do { try await delete(network) } catch { failure = failure ?? error }
        }
        if let failure { throw failure }
    }

    func delete(_ network: AttachedNetwork) async throws {
        try await environment.plugins.network(network.plugin).delete(network.deletion)
        record.networks.removeAll { $0.request == network.request }
    }

    /// The cards that the machine is to have.
    var machineInterfaces: [InterfaceSpec] {
        record.networks.compactMap(\.attachment).map { InterfaceSpec($0) }
    }

    /// The cards as the guest is to set them up.
    var guestInterfaces: [SandboxConfiguration.Interface] {
        record.networks.compactMap(\.guestInterface)
    }

    /// The pod's own addresses, without prefixes: those of its first network.
    var addresses: [String] {
        (record.networks.first?.attachment?.addresses ?? []).map { String($0.address.prefix { $0 != "/" }) }
    }
}

extension InterfaceSpec {
    init(_ attachment: NetworkAttachment) {
        self.init(tap: attachment.device, macAddress: attachment.macAddress, mtu: attachment.mtu)
    }
}

extension AttachedNetwork {
    /// nil while the plugin has not answered.
    var guestInterface: SandboxConfiguration.Interface? {
        attachment.map { attachment in
            SandboxConfiguration.Interface(
                hardwareAddress: attachment.macAddress, name: request.interfaceName, mtu: UInt32(attachment.mtu),
                addresses: attachment.addresses.map(\.address),
                routes: attachment.routes.map { .init(destination: $0.destination, gateway: $0.gateway) })
        }
    }
}
