import CarpelNetlink
import CarpelPluginSDK

extension HostNetwork {
    /// What is missing of an attachment, or is not as it should be, in words.
    func faults(of attachment: AttachmentRecord, on network: Network) throws -> [String] {
        try bridgeFaults(network) + tapFaults(attachment, on: network) + limitFaults(attachment)
            + missingTables() + missingRules(of: attachment)
            + Forwarding.missing(network.families).map { "the forwarding of \($0.rawValue)" }
    }

    private func bridgeFaults(_ network: Network) throws -> [String] {
        guard let bridge = try netlink.link(named: network.bridge) else { return ["the bridge \(network.bridge)"] }
        return try missingAddresses(of: network, on: bridge.index).map { "the address \($0) of \(network.bridge)" }
            + (bridge.isUp ? [] : ["\(network.bridge) is down"])
    }

    private func tapFaults(_ attachment: AttachmentRecord, on network: Network) throws -> [String] {
        let name = attachment.device
        guard let tap = try netlink.link(named: name), isOurs(tap, of: attachment) else {
            return ["the tap device \(name)"]
        }
        var faults: [String] = []
        let bridge = try netlink.link(named: network.bridge)
        if bridge == nil || tap.master != bridge?.index { faults.append("\(name) is no port of \(network.bridge)") }
        if !tap.isUp { faults.append("\(name) is down") }
        if tap.mtu != attachment.answer.mtu { faults.append("\(name) has an MTU of \(tap.mtu)") }
        if tap.master != nil, try netlink.bridgePort(tap.index) != attachment.portSettings(on: network) {
            faults.append("the settings of the port \(name)")
        }
        return faults
    }

    private func limitFaults(_ attachment: AttachmentRecord) throws -> [String] {
        let bandwidth = attachment.request.bandwidth
        let ingress = bandwidth?.ingressBitsPerSecond.flatMap(TokenBucket.init(bitsPerSecond:))
        let egress = bandwidth?.egressBitsPerSecond.flatMap(TokenBucket.init(bitsPerSecond:))
        guard ingress != nil || egress != nil, let tap = try netlink.link(named: attachment.device) else { return [] }
        var faults: [String] = []
        if let ingress, try netlink.tokenBucket(on: tap.index)?.rate != ingress.rate {
            faults.append("the limit of what the pod receives")
        }
        if let egress {
            let limiter = try netlink.link(named: attachment.limiter)
            let isRedirected = try limiter != nil && netlink.redirectTarget(of: tap.index) == limiter?.index
            let rate = try limiter.flatMap { try netlink.tokenBucket(on: $0.index)?.rate }
            if !isRedirected || rate != egress.rate { faults.append("the limit of what the pod sends") }
        }
        return faults
    }
}
