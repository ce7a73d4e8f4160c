import CarpelPluginSDK

extension BridgeConfiguration {
    /// Refuses a configuration that pulls the network from under pods.
    ///
    /// - Throws: ``PluginError`` with `.failedPrecondition` and `networkInUse`.
    func refuseChangesUnder(_ attachments: [AttachmentRecord]) throws {
        for attachment in attachments {
            guard let network = networks[attachment.network] else {
                throw inUse(attachment, "is not in the configuration")
            }
            guard network.bridge == attachment.bridge else {
                throw inUse(attachment, "had the bridge \(attachment.bridge), not \(network.bridge)")
            }
            for address in attachment.answer.addresses
            where !network.pools.contains(where: { $0.includes(address) }) {
                throw inUse(attachment, "had another subnet or gateway for \(address.address)")
            }
        }
    }

    private func inUse(_ attachment: AttachmentRecord, _ problem: String) -> PluginError {
        PluginError(
            .failedPrecondition, "networkInUse",
            """
            the network \(attachment.network) \(problem), and the pod \(attachment.pod) is on it; \
            stop its pods before its configuration changes
            """)
    }
}

extension AddressPool {
    fileprivate func includes(_ address: IPConfiguration) -> Bool {
        let parts = address.address.split(separator: "/").map(String.init)
        guard let first = parts.first, let ip = IPAddress(first) else { return false }
        return subnet.contains(ip) && parts.last == "\(subnet.prefixLength)" && address.gateway == "\(gateway)"
    }
}
