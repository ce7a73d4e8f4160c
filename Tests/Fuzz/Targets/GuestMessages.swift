import CarpelCore

@testable import CarpelGuestProtocol
@testable import CarpelRuntime

extension FuzzTarget {
    /// What the guest says, in CBOR.
    static let guestMessages = FuzzTarget(name: "guest-messages", maximumLength: 4096) {
        let encoder = CBOREncoder()
        let interface = SandboxConfiguration.Interface(
            hardwareAddress: "52:54:00:12:34:56", name: "eth0", mtu: 1500, addresses: ["10.0.0.2/24"],
            routes: [.init(destination: "::/0", gateway: "fe80::1")])
        let volume = GuestVolume(name: "v", source: .disk(serial: "s", fileSystem: "xfs"), readOnly: true)
        var spec = ContainerSpec(
            id: "c", layers: ["l"], process: ProcessSpec(arguments: ["sh"], environment: ["A=b"]))
        spec.namespaces.pid = .target(container: "d")
        spec.resources.unified = ["memory.high": "max"]
        spec.devices = [.init(path: "/dev/x", kind: .block, volume: "v")]
        spec.mounts = [.init(source: .shared(path: "a"), destination: "/s", readOnly: true)]
        let requests: [GuestRequest] = [
            .createContainer(spec), .state, .addVolume(volume), .configureInterfaces([interface]),
            .signalContainer(id: "c", signal: -1, everyProcess: true),
        ]
        let state = GuestState(
            agentVersion: "1", configured: true,
            containers: [
                .init(id: "a", phase: .created, nextOutput: 0),
                .init(id: "b", phase: .running(pid: 1, since: 2), nextOutput: 3),
                .init(id: "c", phase: .exited(ExitStatus(code: 0, at: 1), started: 2), nextOutput: 3),
            ], volumes: [.init(volume: volume, isFrozen: true)], interfaces: [interface])
        let stats = GuestStats(
            time: 1, pod: CgroupUsage(), containers: [.init(id: "c", usage: CgroupUsage())], interfaces: [],
            machine: .init(onlineCPUs: 1, memoryBytes: 2, availableMemoryBytes: 3))
        let responses: [GuestResponse] = [
            .stats(stats), .done, .started(pid: 7, at: .max), .exited(ExitStatus(code: 137, at: 9, outOfMemory: true)),
            .failed(GuestFailure(.mountFailed, "message", errno: 5)), .state(state),
            .volumeUsage(VolumeUsage(capacityBytes: 5, usedBytes: 4, availableBytes: .max, inodes: 3, usedInodes: 2)),
        ]
        let events: [GuestEvent] = [
            .containerExited(id: "c", ExitStatus(code: 1, at: 2)), .containerOutOfMemory(id: "c"),
        ]
        let record = OutputRecord(sequence: .max, channel: .stderr, time: .max, bytes: Array("x\ny".utf8))
        return try requests.map { [0] + (try encoder.encode($0)) } + responses.map { [1] + (try encoder.encode($0)) }
            + events.map { [2] + (try encoder.encode($0)) } + [[3] + (try encoder.encode(record))]
    } run: { bytes in
        var input = Input(bytes)
        let kind = input.byte() % 4
        let message = Array(input.rest)
        let decoder = CBORDecoder()
        switch kind {
        case 0:
            if let request = try? decoder.decode(GuestRequest.self, from: message) { try checkGuestRoundTrip(request) }
        case 1:
            guard let response = try? decoder.decode(GuestResponse.self, from: message) else { return }
            try checkGuestRoundTrip(response)
            if case .stats(let stats) = response { convert(stats) }
        case 2:
            guard let event = try? decoder.decode(GuestEvent.self, from: message) else { return }
            try checkGuestRoundTrip(event)
        default:
            guard let record = try? decoder.decode(OutputRecord.self, from: message) else { return }
            try checkGuestRoundTrip(record)
            _ = ContainerLog.text(of: record)
        }
    }
}

/// What is written is read as the same.
func checkGuestRoundTrip<Message: Codable & Equatable>(_ message: Message) throws {
    let bytes = try CBOREncoder().encode(message)
    guard let again = try? CBORDecoder().decode(Message.self, from: bytes) else {
        throw Finding("what is written cannot be read: \(message)")
    }
    try Finding.require(again == message, "what is written is read as something else")
}
