import CarpelCore
import CarpelNetlink
import CarpelPluginSDK
import Glibc

extension CNIPlugin {
    /// CHECK.
    func verify(_ request: NetworkCheckRequest) async throws {
        let key = try AttachmentKey(podID: request.podID, interfaceName: request.interfaceName)
        try await turns.take(key) {
            try await store.runningProgram(of: key).end()
            guard let record = try store.read(key), record.request.network == request.network,
                case .added(let result, let attachment) = record.progress
            else {
                throw PluginError(
                    .notFound, "attachmentUnknown",
                    "\(key.podID) has no interface \(key.interfaceName) on the network \"\(request.network)\"")
            }
            guard attachment == request.attachment else {
                throw PluginError(
                    .failedPrecondition, "attachmentDiffers",
                    "\(key.podID) \(key.interfaceName): ADD has answered something else than what is asked about")
            }
            try await links(of: record, key).check(attachment)
            try await chain(of: record, key).check(result)
        }
    }

    /// STATUS, of the network that a pod gets that asks for none.
    func verifyReadiness() async throws {
        let network = try networks.network(NetworkConfigurations.defaultName)
        for plugin in network.plugins {
            guard let management = plugin.addressManagement else { continue }
            _ = try programs.path(of: management, for: .status, network: network.name)
        }
        let version = try await versions.negotiate(network, for: .status, programs)
        try await NetworkChain(network: network, version: version, programs: programs).status()
        guard access("/dev/net/tun", R_OK | W_OK) == 0 else {
            throw PluginError(
                .failedPrecondition, "tapUnavailable",
                "cannot make tap devices: /dev/net/tun: \(String(cString: strerror(errno)))")
        }
    }
}
