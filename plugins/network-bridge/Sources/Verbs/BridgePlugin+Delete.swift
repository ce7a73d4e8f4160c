import CarpelPluginSDK

extension BridgePlugin {
    public func delete(_ request: NetworkDeleteRequest) throws {
        try perform { host in
            guard let record = try ledger.attachment(AttachmentKey(request)) else { return }
            try host.detach(record, among: ledger.attachments)
            try ledger.release(record.key)
        }
    }
}
