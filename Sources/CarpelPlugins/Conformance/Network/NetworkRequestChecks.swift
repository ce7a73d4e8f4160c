import CarpelPluginSDK

/// What a plugin may honour or refuse, and must not ignore.
let networkRequestChecks: [ConformanceCheck<NetworkUnderTest>] = [
    .init(noting: "static-address", "an address that is asked for is given, to one pod only, or refused") { network in
        let (first, attachment) = try await network.addPod()
        try await network.delete(first.owner)
        let address = attachment.plainAddresses[0]
        var request = network.newRequest()
        request.addresses = [address]
        return try await honouredOrRefused("the address \(address)") {
            let given = try await network.add(request)
            try expect(
                given.plainAddresses.contains { isSame($0, address) },
                "\(address) was asked for, and \(given.plainAddresses) was given")
            var other = network.newRequest()
            other.addresses = [address]
            try await refusal(of: "an address that another pod has") { try await network.add(other) }
            // A refused ADD leaves the address with who has it.
            try await network.check(request.owner, given)
        }
    },
    .init("static-address-impossible", "an address that cannot be given is refused") { network in
        for address in ["not an address", "10.1.2.3.4", "300.1.1.1", "203.0.113.77", ""] {
            var request = network.newRequest()
            request.addresses = [address]
            try await refusal(
                .invalidArgument, .unimplemented, .outOfRange, .failedPrecondition, .resourceExhausted,
                of: "the address \"\(address)\""
            ) { try await network.add(request) }
        }
    },
    .init(noting: "static-mac", "a MAC address that is asked for is given or refused") { network in
        var request = network.newRequest()
        request.macAddress = "02:ab:cd:ef:01:02"
        return try await honouredOrRefused("the MAC address") {
            let given = try await network.add(request)
            try expect(
                given.macAddress.lowercased() == request.macAddress,
                "02:ab:cd:ef:01:02 was asked for, and \(given.macAddress) was given")
            let again = try await network.add(request)
            try expect(given == again, "the first ADD answered \(given), the second \(again)")
        }
    },
    .init(noting: "port-mapping", "a port mapping is made, for one pod only, or refused") { network in
        var request = network.newRequest()
        request.portMappings = [PortMapping(transport: .tcp, hostPort: 18080, containerPort: 80)]
        return try await honouredOrRefused("port mappings") {
            let given = try await network.add(request)
            try await network.check(request.owner, given)
            var other = network.newRequest()
            other.portMappings = request.portMappings
            try await refusal(of: "a port of the host that another pod has") { try await network.add(other) }
            try await network.delete(request.owner)
            _ = try await network.add(other)
        }
    },
    .init(noting: "bandwidth", "a bandwidth limit is set or refused") { network in
        var request = network.newRequest()
        request.bandwidth = Bandwidth(ingressBitsPerSecond: 10_000_000, egressBitsPerSecond: 5_000_000)
        return try await honouredOrRefused("bandwidth limits") {
            let given = try await network.add(request)
            try await network.check(request.owner, given)
        }
    },
]

/// A plugin that cannot do what is asked, or not as it is configured, says so with a code that means just that.
private func honouredOrRefused(_ what: String, _ body: () async throws -> Void) async throws -> CheckNote? {
    do {
        try await body()
        return nil
    } catch let error as PluginError
        where [.unimplemented, .invalidArgument, .failedPrecondition].contains(error.code)
    {
        return CheckNote(text: "refuses \(what)")
    } catch let error as PluginError {
        throw CheckFailure(
            "\(what): UNIMPLEMENTED, INVALID_ARGUMENT or FAILED_PRECONDITION says that it cannot be had, and not \(error)"
        )
    }
}

private func isSame(_ left: String, _ right: String) -> Bool { left.lowercased() == right.lowercased() }
