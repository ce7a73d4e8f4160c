import CarpelPluginSDK
import Testing

@testable import NetworkBridge

@Suite struct AddressPoolTests {
    @Test func addressesAreReadAndWrittenInTheirCanonicalForm() throws {
        let forms = [
            "10.88.0.1": "10.88.0.1", "fd88::1": "fd88::1", "FD88:0:0:0:0:0:0:1": "fd88::1", "::": "::",
            "255.255.255.255": "255.255.255.255",
        ]
        for (text, canonical) in forms { #expect(IPAddress(text)?.description == canonical) }
        for text in ["", "10.88.0", "10.88.0.256", "010.1.1.1", "10.88.0.1/16", "fe80::1%eth0", "fd88:::1", " ::1"] {
            #expect(IPAddress(text) == nil, "\(text)")
        }
    }

    @Test func subnetsContainWhatTheirPrefixSays() throws {
        let subnet = try #require(Subnet("10.88.77.5/20"))
        #expect(subnet.description == "10.88.64.0/20")
        #expect(subnet.contains(try #require(IPAddress("10.88.64.0"))))
        #expect(subnet.contains(try #require(IPAddress("10.88.79.255"))))
        #expect(!subnet.contains(try #require(IPAddress("10.88.80.0"))))
        #expect(!subnet.contains(try #require(IPAddress("::a58:4000"))))

        let wide = try #require(Subnet("fd88::/64"))
        #expect(wide.values.upperBound - wide.values.lowerBound == UInt128(UInt64.max))
        #expect(Subnet("::/0")?.values.upperBound == .max)
        #expect(try #require(Subnet("10.88.64.0/18")).overlaps(subnet))
        #expect(!(try #require(Subnet("10.88.80.0/20"))).overlaps(subnet))
        for text in ["10.88.0.0", "10.88.0.0/33", "10.88.0.0/-1", "10.88.0.0/+8", "fd88::/129", "x/8", "10.0.0.0/8/8"] {
            #expect(Subnet(text) == nil, "\(text)")
        }
    }

    @Test func theNetworksOwnAddressesAreNobodys() throws {
        #expect(try addresses(#"{"subnet": "10.0.0.0/29"}"#) == (2...6).map { "10.0.0.\($0)" })
        #expect(try addresses(#"{"subnet": "10.0.0.0/30"}"#) == ["10.0.0.2"])
        #expect(try addresses(#"{"subnet": "fd00::/125"}"#) == (2...7).map { "fd00::\($0)" })
    }

    @Test func theGatewayIsSkippedWhereverItIs() throws {
        #expect(
            try addresses(#"{"subnet": "10.0.0.0/29", "gateway": "10.0.0.4"}"#)
                == [1, 2, 3, 5, 6].map { "10.0.0.\($0)" })
    }

    @Test func aRangeBoundsWhatIsHandedOut() throws {
        let expected = ["10.0.0.10", "10.0.0.11", "10.0.0.12"]
        #expect(try addresses(#"{"subnet": "10.0.0.0/24", "range": "10.0.0.10-10.0.0.12"}"#) == expected)
        #expect(
            try addresses(#"{"subnet": "10.0.0.0/24", "range": "10.0.0.252/30"}"#)
                == ["10.0.0.252", "10.0.0.253", "10.0.0.254"])
        #expect(try addresses(#"{"subnet": "10.0.0.0/24", "range": "10.0.0.9"}"#) == ["10.0.0.9"])
    }

    @Test func exclusionsAreSkippedAtOnceHoweverLargeTheyAre() throws {
        let pool = try pool(
            """
            {"subnet": "fd00::/64", "gateway": "fd00::1",
             "exclude": ["fd00::/65", "fd00:0:0:0:8000::", "fd00:0:0:0:8000::2"]}
            """)
        let first = try #require(pool.next(after: nil))
        #expect("\(first)" == "fd00::8000:0:0:1")
        #expect(pool.next(after: first).map { "\($0)" } == "fd00::8000:0:0:3")
        #expect(
            try addresses(#"{"subnet": "10.0.0.0/28", "exclude": ["10.0.0.3-10.0.0.5", "10.0.0.8/29"]}"#)
                == ["10.0.0.2", "10.0.0.6", "10.0.0.7"])
    }

    @Test func theLastAddressOfAllEndsTheSearch() throws {
        let pool = try pool(#"{"subnet": "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff0/124"}"#)
        let last = try #require(IPAddress("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"))
        #expect(pool.next(after: last) == nil)
    }

    @Test func theLinkLocalAddressFollowsFromTheCard() throws {
        let card = try #require(MACAddress("02:5F:00:1a:b2:C3"))
        #expect("\(card)" == "02:5f:00:1a:b2:c3")
        #expect("\(card.linkLocalAddress)" == "fe80::5f:ff:fe1a:b2c3")
        for text in ["01:00:00:00:00:01", "00:00:00:00:00:00", "02:00:00:00:00", "02:00:00:00:00:0g", "2:0:0:0:0:1"] {
            #expect(MACAddress(text) == nil, "\(text)")
        }
    }

    private func pool(_ subnet: String) throws -> AddressPool {
        let network = try BridgeConfiguration(json: Array(oneNetwork(subnet).utf8)).network("default")
        return try #require(network.pools.first)
    }

    private func addresses(_ subnet: String) throws -> [String] {
        let pool = try pool(subnet)
        return sequence(first: pool.next(after: nil)) { $0.flatMap { pool.next(after: $0) } }
            .prefix { $0 != nil }.compactMap { $0?.description }
    }
}
