import CarpelGuestProtocol
import CarpelRuntime
import TestSupport
import Testing

extension AgentTests {
    @Suite(.serialized) struct Garbage {
        @Test func theAgentSurvivesWhateverTheHostSends() async throws {
            let machine = try await TestMachine.boot()
            try await machine.guest.call(.configure(TestMachine.configuration()))
            let spec = ContainerSpec.shell("exec sleep 1000", id: "c")
            try await machine.guest.start(spec)
            await machine.guest.close()

            var generator = Repeatable()
            for round in 0..<40 {
                let raw = try await machine.connectRawOnceFree()
                for number in 0..<50 as Range<UInt32> {
                    switch round % 4 {
                    case 0: try raw.send((0..<200).map { _ in UInt8.random(in: 0...255, using: &generator) })
                    case 1: try raw.send(Self.frame(&generator))
                    case 2: try raw.send(Frame(.request, stream: number + 1, payload: try Self.request(&generator)))
                    default:
                        // Nonsense on streams that are open.
                        let exec = ExecSpec.shell("cat", in: "c", stdin: true)
                        try raw.send(
                            Frame(.request, stream: number + 1, payload: CBOREncoder().encode(GuestRequest.exec(exec))))
                        for _ in 0..<5 { try raw.send(Self.frame(&generator, stream: number + 1)) }
                    }
                }
            }
            let guest = try await machine.connect()
            #expect(try await guest.run(.shell("echo alive", in: "c")).stdout == "alive\n")
            #expect(try await guest.run(.shell("echo well")).stdout == "well\n")
            try await machine.end()
        }

        /// QEMU loses one of the queue's 128 buffers with every connection that ends while it is slow to read.
        ///
        /// What the agent writes about it once came to the console only together with the next line.
        @Test func aPortThatHostsHaveWornOutIsRestarted() async throws {
            let machine = try await TestMachine.boot()
            try await machine.guest.call(.configure(TestMachine.configuration()))
            let spec = ContainerSpec.shell("exec sleep 1000", id: "c")
            try await machine.guest.start(spec)
            await machine.guest.close()
            var round = 0
            func isRestarted() -> Bool { machine.console.contains("its device is restarted") }
            while !isRestarted() {
                round += 1
                try #require(round < 200)
                let raw = try await machine.connectRawOnceFree()
                // A connection that QEMU gives nothing to ends, as the host's own does.
                try? await eventually("the agent answers", within: .seconds(2)) {
                    raw.hasSomethingToRead || isRestarted()
                }
                guard raw.hasSomethingToRead else { continue }
                // More than the socket holds.
                for number in 1...4 as ClosedRange<UInt32> {
                    let exec = ExecSpec.shell("exec cat /dev/zero", in: "c")
                    try raw.sendWithoutReading(
                        Frame(.request, stream: number, payload: CBOREncoder().encode(GuestRequest.exec(exec))))
                }
                try await eventually("QEMU waits with what it took from the agent") {
                    try await machine.isPortThrottled()
                }
            }
            let guest = try await machine.connect()
            #expect(try await guest.run(.shell("echo alive", in: "c")).stdout == "alive\n")
            try await machine.end()
        }

        private static func frame(_ generator: inout Repeatable, stream: UInt32? = nil) -> Frame {
            let kind = Frame.Kind.allCases.randomElement(using: &generator) ?? .data
            let count = Int.random(in: 0...300, using: &generator)
            return Frame(
                kind, stream: stream ?? UInt32.random(in: 0...60, using: &generator),
                detail: UInt8.random(in: 0...3, using: &generator),
                payload: (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) })
        }

        /// A request that has been changed somewhere, and may still be one.
        private static func request(_ generator: inout Repeatable) throws -> [UInt8] {
            var spec = ContainerSpec.shell("true", id: "x\(Int.random(in: 0..<5, using: &generator))")
            spec.layers = Bool.random(using: &generator) ? [TestMachine.baseLayer] : []
            spec.process.workingDirectory =
                ["", "/", "..", "\0", "/proc/self/fd/9"].randomElement(using: &generator) ?? ""
            spec.process.seccompProgram = [UInt8](repeating: 3, count: Int.random(in: 0...40, using: &generator))
            spec.process.resourceLimits = [
                .init(resource: .random(in: -5...90, using: &generator), soft: 0, hard: .max)
            ]
            spec.devices = [.init(path: "x", kind: .block, major: .max, minor: .max, mode: .max, access: "qrs")]
            spec.oomScoreAdjustment = .min
            spec.namespaces.pid = .target(container: spec.id)
            let requests: [GuestRequest] = [
                .createContainer(spec), .startContainer(id: spec.id), .startContainer(id: "c"), .state,
                .removeContainer(id: spec.id), .signalContainer(id: "c", signal: -7, everyProcess: false),
                .followOutput(container: "c", from: .max), .releaseOutput(container: "c", before: .max),
                .updateResources(id: "c", resources: spec.resources), .attachInput(container: "c", closeAtEnd: true),
                .resizeContainer(id: "c", rows: 0, columns: .max), .resizeExec(id: "", rows: 0, columns: 0),
                .exec(ExecSpec(id: "", container: "c", process: spec.process, stdin: true)),
            ]
            var bytes = try CBOREncoder().encode(requests.randomElement(using: &generator) ?? .state)
            for _ in 0..<Int.random(in: 0...2, using: &generator) {
                bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            return bytes
        }
    }
}

/// The same numbers in every run: Knuth's linear congruential generator, its upper half.
private struct Repeatable: RandomNumberGenerator {
    private var state: UInt64 = 7

    mutating func next() -> UInt64 {
        let halves = (0..<2).map { _ -> UInt64 in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 32
        }
        return halves[0] << 32 | halves[1]
    }
}
