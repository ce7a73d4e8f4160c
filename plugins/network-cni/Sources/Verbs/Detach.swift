import CarpelCore
import CarpelNetlink
import CarpelPluginSDK

extension CNIPlugin {
    /// DEL.
    ///
    /// - Returns: whether the pod was on the network.
    func detach(_ request: NetworkDeleteRequest) async throws -> Bool {
        let key = try AttachmentKey(podID: request.podID, interfaceName: request.interfaceName)
        return try await turns.take(key) {
            try await store.runningProgram(of: key).end()
            guard let record = try store.read(key), record.request.network == request.network else { return false }
            try await remove(record, key)
            return true
        }
    }

    /// Takes away all that the record names, and then the record; can be repeated from any point.
    func remove(_ record: AttachmentRecord, _ key: AttachmentKey) async throws {
        // The kernel takes its time with a device, and the chain with everything.
        async let linksAreGone: Void = links(of: record, key).remove()
        try await deleteChain(of: record, key)
        try await linksAreGone
        NetworkNamespace(path: record.namespace).remove()
        try store.remove(key)
    }

    private func deleteChain(of record: AttachmentRecord, _ key: AttachmentKey) async throws {
        let chain = try chain(of: record, key)
        switch record.progress {
        case .added(let result, _): try await chain.delete(result)
        case .adding:
            // Debian's bridge fails once to take away the masquerading that a broken ADD did not get to.
            do { try await chain.delete(nil) } catch is CNIFailure { try await chain.delete(nil) }
        }
    }

    func links(of record: AttachmentRecord, _ key: AttachmentKey) -> PodLinks {
        PodLinks(
            key: key, namespace: NetworkNamespace(path: record.namespace), device: record.device, uplink: record.uplink)
    }

    /// The chain as it was when the pod was added, whatever the configuration says now.
    func chain(of record: AttachmentRecord, _ key: AttachmentKey) throws -> Chain {
        let namespace = NetworkNamespace(path: record.namespace)
        guard let version = CNIVersion(record.version) else {
            throw PluginError(.dataLoss, "recordUnreadable", "\"\(record.version)\" is no version of CNI")
        }
        return Chain(
            network: try NetworkConfiguration(record.network, source: record.networkSource), version: version,
            programs: programs,
            attachment: CNICall.Attachment(
                containerID: key.containerID, interfaceName: key.interfaceName,
                namespace: namespace.exists ? namespace.path : "", arguments: record.request.cniArguments),
            capabilityArguments: record.capabilityArguments, record: store.runningProgram(of: key))
    }
}
