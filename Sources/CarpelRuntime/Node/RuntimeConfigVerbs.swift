import CarpelAPI
import CarpelCore

extension Runtime {
    /// Pods' cgroups are in their machines' kernels, and the agent there makes them as directories. The kubelet's own
    /// cgroups on the node hold no container, so either driver would do for it; this is what is true of the containers.
    public nonisolated func runtimeConfig(_ request: RuntimeConfigRequest) -> RuntimeConfigResponse {
        RuntimeConfigResponse {
            $0.linux = LinuxRuntimeConfiguration { $0.cgroupDriver = .CGROUPFS }
        }
    }

    /// Takes note of the node's range of pod addresses.
    ///
    /// It changes no pod's address: network plugins have ranges of their own, in their configuration. Status with
    /// `verbose` shows it beside them.
    public func updateRuntimeConfig(_ request: UpdateRuntimeConfigRequest) throws -> EmptyResponse {
        guard let network = request.runtimeConfig?.networkConfig, !network.podCidr.isEmpty else {
            return EmptyResponse()
        }
        for range in network.podCidr.split(separator: ",", omittingEmptySubsequences: false) {
            try checkRange(range)
        }
        podRange = network.podCidr
        logger.info(
            "the node's range of pod addresses is known; network plugins go by their own configuration",
            metadata: ["podCidr": "\(network.podCidr)"])
        return EmptyResponse()
    }

    private func checkRange(_ range: Substring) throws {
        let field = "runtimeConfig.networkConfig.podCidr"
        let parts = range.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let length = UInt8(parts[1]) else {
            throw CarpelError.invalid(field, "\"\(range)\" is not a range such as 10.88.0.0/16")
        }
        try checkAddress(String(parts[0]), at: field)
        guard length <= (parts[0].contains(":") ? 128 : 32) else {
            throw CarpelError.invalid(field, "\"\(range)\" has a prefix that is too long")
        }
    }
}
