import CarpelPluginSDK

extension BridgePlugin {
    /// - Throws: ``PluginError`` with `.failedPrecondition` and `attachmentBroken`, and what is missing.
    public func check(_ request: NetworkCheckRequest) throws {
        try perform { host in
            let key = AttachmentKey(pod: request.podID, network: request.network, interface: request.interfaceName)
            guard let record = try ledger.attachment(key) else { throw broken("\(key): there is no record of it") }
            let network = try configuration.network(request.network)
            guard record.answer == request.attachment else {
                throw broken("\(key): ADD has answered something else")
            }
            let faults = try host.faults(of: record, on: network)
            guard faults.isEmpty else {
                throw broken("\(key): not in order: \(faults.joined(separator: "; ")). ADD mends it")
            }
        }
    }
}

private func broken(_ message: String) -> PluginError {
    PluginError(.failedPrecondition, "attachmentBroken", message)
}
