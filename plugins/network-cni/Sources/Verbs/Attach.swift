import CarpelCore
import CarpelNetlink
import CarpelPluginSDK

extension CNIPlugin {
    /// ADD.
    func attach(_ request: NetworkAddRequest) async throws -> NetworkAttachment {
        let key = try AttachmentKey(podID: request.pod.id, interfaceName: request.interfaceName)
        try request.validate()
        return try await turns.take(key) {
            try await store.runningProgram(of: key).end()
            if let record = try store.read(key) {
                if let attachment = try await present(record, key, for: request) { return attachment }
                // Left by a crash or a reboot.
                try await shielded { try await self.remove(record, key) }
            }
            return try await make(request, key)
        }
    }

    /// - Returns: the attachment if it is there and whole, or could be made whole.
    private func present(
        _ record: AttachmentRecord, _ key: AttachmentKey, for request: NetworkAddRequest
    ) async throws -> NetworkAttachment? {
        guard case .added(_, let attachment) = record.progress else { return nil }
        let links = links(of: record, key)
        do {
            try await links.check(attachment)
        } catch let error as PluginError {
            log(error.message)
            guard record.request == request else { return nil }
            return try await links.repair(attachment, group: machineGroup) ? attachment : nil
        }
        guard record.request == request else {
            throw PluginError(
                .alreadyExists, "attachmentDiffers",
                "\(key.podID) has an interface \(key.interfaceName) on the network \"\(record.request.network)\" already, "
                    + "and it was asked for differently; take it off first")
        }
        return attachment
    }

    private func make(_ request: NetworkAddRequest, _ key: AttachmentKey) async throws -> NetworkAttachment {
        let network = try networks.network(request.network)
        let capabilityArguments = try request.capabilityArguments(for: network, dns: configuration.dns)
        let version = try await versions.negotiate(network, for: .add, programs)
        var record = AttachmentRecord(
            request: request, network: network.text, networkSource: network.source, version: version.description,
            capabilityArguments: capabilityArguments, namespace: store.namespacePath(of: key),
            device: Self.deviceName("ct"), uplink: Self.deviceName("cu"), progress: .adding)
        try hostPorts.reserve(record, key, in: store)
        do {
            try Task.checkCancellation()
            let namespace = NetworkNamespace(path: record.namespace)
            // There was no record: what is there is nobody's.
            namespace.remove()
            try await namespace.make()
            let result = try await added(record, key)
            let attachment = try await join(record, key, result)
            record.progress = .added(result: result, attachment: attachment)
            try Task.checkCancellation()
            try store.write(record, key)
            return attachment
        } catch {
            await undo(record, key)
            throw error
        }
    }

    private func added(_ record: AttachmentRecord, _ key: AttachmentKey) async throws -> JSONValue {
        do {
            return try await chain(of: record, key).add()
        } catch let failure as CNIFailure {
            throw failure.pluginError(for: record.request)
        }
    }

    private func join(
        _ record: AttachmentRecord, _ key: AttachmentKey, _ result: JSONValue
    ) async throws -> NetworkAttachment {
        let interface = try await links(of: record, key).make(group: machineGroup)
        let attachment = NetworkAttachment(
            device: record.device, interface: interface, result: try CNIResult(result))
        if let wanted = record.request.macAddress, wanted.lowercased() != attachment.macAddress {
            throw PluginError(
                .failedPrecondition, "macAddressRefused",
                "the pod asks for the MAC address \(wanted), but the chain has given it \(attachment.macAddress)")
        }
        return attachment
    }

    /// Also of a cancelled ADD, whatever time it takes. What cannot be undone stays in the record, for DEL.
    private func undo(_ record: AttachmentRecord, _ key: AttachmentKey) async {
        do {
            try await shielded { try await self.remove(record, key) }
        } catch {
            log("an ADD that failed could not be undone: \((error as? CNIFailure)?.pluginError.message ?? "\(error)")")
        }
    }

    /// - Returns: `prefix` and ten random digits.
    private static func deviceName(_ prefix: String) -> String {
        prefix + (0..<10).map { _ in String(UInt8.random(in: 0..<16), radix: 16) }.joined()
    }
}
