import CarpelAPI
import CarpelCore
import CarpelPluginSDK

extension Runtime {
    public func listNetworks(_ request: ListNetworksRequest) async throws -> ListNetworksResponse {
        var attachments: [NetworkAttachmentInfo] = []
        for pod in pods.values {
            let networks = await pod.record.networks
            attachments += networks.map { NetworkAttachmentInfo($0, podID: pod.id) }
        }
        var networks: [NetworkInfo] = []
        for (name, plugin) in environment.configuration.networks.sorted(by: { $0.key < $1.key }) {
            let problem = await networkProblem(plugin)
            networks.append(
                NetworkInfo {
                    $0.name = name
                    $0.plugin = plugin
                    $0.ready = problem == nil
                    $0.reason = problem?.reason ?? ""
                    $0.message = problem?.message ?? ""
                    $0.attachments = attachments.filter { $0.network == name }
                        .sorted {
                            ($0.podName, $0.podSandboxId, $0.interfaceName) < (
                                $1.podName, $1.podSandboxId, $1.interfaceName
                            )
                        }
                })
        }
        return ListNetworksResponse { $0.networks = networks }
    }

    /// Why a pod cannot be put on a network of this plugin now; nil if it can.
    nonisolated func networkProblem(_ plugin: String) async -> CarpelError? {
        guard plugin != DaemonConfiguration.noNetwork else {
            return CarpelError(
                .failedPrecondition, "networkDisabled",
                "carpeld's configuration names no plugin for this network: pods have their loopback only")
        }
        do {
            try await environment.plugins.network(plugin).status()
            return nil
        } catch {
            return CarpelError.wrapping(error, during: "the network plugin \(plugin)")
        }
    }

    /// Takes from the network plugins what no pod is on any more. Nothing is touched while a record cannot be read.
    func collectNetworks() async {
        guard environment.store.unreadable.isEmpty else { return }
        var valid: [String: [NetworkDeleteRequest]] = [:]
        for pod in pods.values {
            for network in await pod.record.networks { valid[network.plugin, default: []].append(network.deletion) }
        }
        let plugins = Set(environment.configuration.networks.values).subtracting([DaemonConfiguration.noNetwork])
        for plugin in plugins.union(valid.keys) {
            do {
                let response = try await environment.plugins.network(plugin)
                    .collectGarbage(NetworkCollectRequest(valid: valid[plugin] ?? []))
                for removed in response.removed {
                    logger.warning(
                        "took a pod that is gone off its network",
                        metadata: ["pod": "\(removed.podID.prefix(13))", "plugin": "\(plugin)"])
                }
            } catch {
                logger.warning(
                    "cannot collect what is left on networks", metadata: ["plugin": "\(plugin)", "cause": "\(error)"])
            }
        }
    }
}
