import CarpelPluginSDK
import Glibc

extension NetworkAddRequest {
    /// CNI plugins refuse what is malformed for DEL as for ADD, and nothing could be taken back then.
    ///
    /// - Throws: `PluginError` with `.invalidArgument` that names the member.
    func validate() throws {
        for address in addresses where !address.isAddress && !(Prefix(address).map { $0.length > 0 } ?? false) {
            throw invalid("addresses", "\"\(address)\" is no address")
        }
        if let macAddress, !macAddress.isMACAddress { throw invalid("macAddress", "\"\(macAddress)\" is none") }
        for mapping in portMappings {
            guard mapping.hostPort > 0, mapping.containerPort > 0 else {
                throw invalid("portMappings", "there is no port 0")
            }
            if let hostIP = mapping.hostIP, !hostIP.isEmpty, !hostIP.isAddress {
                throw invalid("portMappings", "\"\(hostIP)\" is no address")
            }
        }
        let rates = [bandwidth?.ingressBitsPerSecond, bandwidth?.egressBitsPerSecond].compactMap(\.self)
        if rates.contains(where: { $0 < 8 }) {
            throw invalid("bandwidth", "a limit must be at least 8 bits a second")
        }
    }

    private func invalid(_ member: String, _ account: String) -> PluginError {
        PluginError(.invalidArgument, "requestInvalid", "\(member): \(account)")
    }
}

extension String {
    fileprivate var isAddress: Bool {
        var bytes = [UInt8](repeating: 0, count: 16)
        return inet_pton(contains(":") ? AF_INET6 : AF_INET, self, &bytes) == 1
    }

    /// Six bytes, of which the first says that it is one card's.
    fileprivate var isMACAddress: Bool {
        let parts = split(separator: ":", omittingEmptySubsequences: false)
        let bytes = parts.compactMap { $0.count == 2 ? UInt8($0, radix: 16) : nil }
        return parts.count == 6 && bytes.count == 6 && bytes[0] & 1 == 0 && bytes != [0, 0, 0, 0, 0, 0]
    }
}
