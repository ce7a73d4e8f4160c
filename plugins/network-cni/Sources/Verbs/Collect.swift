import CarpelPluginSDK

extension CNIPlugin {
    /// GC: DEL of every attachment that is not listed, then the chains' own GC where they have one.
    ///
    /// - Throws: `PluginError`; with `.dataLoss`, before anything is touched, if any record cannot be read.
    func collect(_ request: NetworkCollectRequest) async throws -> NetworkCollectResponse {
        let valid = Set(request.valid)
        let attachments = try store.all()
        var removed: [NetworkDeleteRequest] = []
        var failures: [any Error] = []
        var networks: [NetworkConfiguration] = []
        do { networks = try configuredNetworks() } catch { failures.append(error) }
        for (key, record) in attachments {
            // Also the networks that are configured no longer.
            let network = try chain(of: record, key).network
            if !networks.contains(where: { $0.name == network.name }) { networks.append(network) }
            let attachment = NetworkDeleteRequest(
                podID: key.podID, network: record.request.network, interfaceName: key.interfaceName)
            guard !valid.contains(attachment) else { continue }
            do {
                if try await detach(attachment) { removed.append(attachment) }
            } catch {
                failures.append(error)
            }
        }
        for network in networks {
            do { try await collect(network) } catch { failures.append(error) }
        }
        try Task.checkCancellation()
        if let failure = failures.first { throw failure }
        return NetworkCollectResponse(removed: removed)
    }

    private func collect(_ network: NetworkConfiguration) async throws {
        guard network.versions.contains(where: { $0 >= .withCollection }) else { return }
        let version = try await versions.negotiate(network, for: .collectGarbage, programs)
        let valid = try store.all().filter { try chain(of: $0.record, $0.key).network.name == network.name }
        try await NetworkChain(network: network, version: version, programs: programs).collectGarbage(
            valid: valid.map { key, record in
                CNICall.Attachment(
                    containerID: key.containerID, interfaceName: key.interfaceName, namespace: "", arguments: "")
            })
    }

    /// The network of pods that ask for none, and those of the plugin's configuration.
    private func configuredNetworks() throws -> [NetworkConfiguration] {
        var found = try configuration.networks.enumerated().map { index, text in
            try NetworkConfiguration(text, source: Configuration.source(of: index))
        }
        if found.isEmpty {
            do {
                found = [try networks.network(NetworkConfigurations.defaultName)]
            } catch let error as PluginError where error.code == .unavailable {
                // No network yet: nothing to collect in it.
            }
        }
        return found
    }
}
