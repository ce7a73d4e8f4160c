import CarpelPluginSDK

extension BridgePlugin {
    public func collectGarbage(_ request: NetworkCollectRequest) throws -> NetworkCollectResponse {
        try perform { host in
            let valid = Set(request.valid.map(AttachmentKey.init))
            let records = try ledger.attachments()
            let garbage = records.filter { !valid.contains($0.key) }
            for record in garbage {
                try Task.checkCancellation()
                try host.detach(record, among: ledger.attachments)
                try ledger.release(record.key)
            }
            let remaining = records.filter { valid.contains($0.key) }
            let unrecorded = try host.removeDevices(except: valid)
            try host.replaceRules(with: remaining)
            try host.removeUnusedBridges()
            return NetworkCollectResponse(removed: (garbage.map(\.key) + unrecorded).map(\.deleteRequest))
        }
    }
}
