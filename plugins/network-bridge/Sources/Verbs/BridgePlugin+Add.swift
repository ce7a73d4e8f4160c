import CarpelPluginSDK

extension BridgePlugin {
    /// Writes down what the pod gets, then gives it. Whatever is killed in between, the record tells of it: the next
    /// ADD finishes it, the next DEL or GC takes it away, and until then nobody else gets any of it.
    public func add(_ request: NetworkAddRequest) throws -> NetworkAttachment {
        try perform { host in
            let network = try configuration.network(request.network)
            let reservation = try ledger.reserve(ValidRequest(request, on: network), on: network)
            let record = reservation.record
            let wasThere = try !reservation.isNew && host.isAttached(record)
            do {
                try host.attach(record, on: network, among: ledger.attachments)
            } catch {
                if !wasThere { undo(record, host) }
                throw error
            }
            return record.answer
        }
    }

    private func undo(_ record: AttachmentRecord, _ host: HostNetwork) {
        do {
            try host.detach(record, among: ledger.attachments)
            try ledger.release(record.key)
        } catch {
            log("\(record.key) could not be undone (\(error)); the next DEL or GC does it")
        }
    }
}
