import CarpelPluginSDK
import Testing

@testable import NetworkBridge

@Suite struct ReachabilityTests {
    @Test(arguments: [IPAddress.Family.ipv4, .ipv6])
    func podsReachEachOtherAndTheHost(family: IPAddress.Family) async throws {
        let host = try await TestHost()
        let (one, other) = (try await host.guest(.pod("one")), try await host.guest(.pod("other")))
        let (here, there) = (try one.attachment.address(family), try other.attachment.address(family))

        for transport in [TestSocket.Transport.tcp, .udp] {
            let seen = try await talk(transport, from: one.namespace, server: other.namespace, at: there, 80)
            #expect(seen == here)
        }
        let gateway = try #require(one.attachment.addresses.first { $0.address.hasPrefix(here) }?.gateway)
        #expect(try await talk(.tcp, from: one.namespace, server: host.namespace, at: gateway, 80) == here)
        #expect(try await talk(.tcp, from: host.namespace, server: one.namespace, at: here, 80) == gateway)
    }
}
