import CarpelPluginSDK
import Foundation

extension NetworkAttachment {
    /// What in it no machine or guest could use; nil: all is well.
    func fault(machineGroup: UInt32) -> String? {
        if device.isEmpty || device.utf8.count > 15 { return "the device's name \"\(device)\" must have 1 to 15 bytes" }
        if let fault = macFault(macAddress) { return fault }
        if !(68...65535).contains(mtu) { return "the MTU \(mtu) is not between 68 and 65535" }
        if addresses.isEmpty { return "there is no address" }
        for address in addresses {
            guard isPrefix(address.address) else {
                return "\"\(address.address)\" is no address with a prefix's length"
            }
            guard address.gateway.map(isAddress) ?? true else {
                return "the gateway of \(address.address) is no address"
            }
        }
        for route in routes {
            guard isPrefix(route.destination) else {
                return "the route's destination \"\(route.destination)\" is no prefix"
            }
            guard route.gateway.map(isAddress) ?? true else {
                return "the gateway to \(route.destination) is no address"
            }
        }
        for server in dns?.servers ?? [] {
            guard isAddress(server) else { return "the DNS server \"\(server)\" is no address" }
        }
        return TapDevices.fault(of: device, machineGroup: machineGroup)
    }

    /// Without the lengths of their prefixes.
    var plainAddresses: [String] { addresses.map { String($0.address.prefix { $0 != "/" }) } }
}

private func macFault(_ text: String) -> String? {
    let bytes = text.split(separator: ":", omittingEmptySubsequences: false).map { part in
        part.utf8.count == 2 ? UInt8(part, radix: 16) : nil
    }
    guard bytes.count == 6, let first = bytes[0], bytes.allSatisfy({ $0 != nil }) else {
        return "the MAC address \"\(text)\" is not six hexadecimal bytes separated by colons"
    }
    return first & 1 == 0 ? nil : "the MAC address \(text) is a group's"
}

func isAddress(_ text: String) -> Bool {
    var buffer = in6_addr()
    return inet_pton(AF_INET, text, &buffer) == 1 || inet_pton(AF_INET6, text, &buffer) == 1
}

private func isPrefix(_ text: String) -> Bool {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let length = UInt8(parts[1]), isAddress(String(parts[0])) else { return false }
    return length <= (parts[0].contains(":") ? 128 : 32)
}
