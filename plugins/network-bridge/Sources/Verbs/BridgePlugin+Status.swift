import CarpelPluginSDK
import Glibc

extension BridgePlugin {
    /// Makes what every ADD needs, and throws what an ADD would throw.
    public func status() throws {
        try perform { host in
            guard access("/dev/net/tun", R_OK | W_OK) == 0 else {
                throw PluginError(
                    .failedPrecondition, "tunMissing",
                    "cannot open /dev/net/tun (\(String(cString: strerror(errno)))): load the kernel's module tun")
            }
            try host.ensureNetworks(among: ledger.attachments)
            if try !host.missingTables().isEmpty { try host.replaceRules(with: ledger.attachments()) }
        }
    }
}

extension HostNetwork {
    fileprivate func ensureNetworks(among all: () throws -> [AttachmentRecord]) throws {
        for network in networks {
            try Forwarding.enable(network.families, interfaces: netlink.links().map(\.name))
            _ = try ensureBridge(of: network, among: all)
        }
    }
}
