import CarpelGuestProtocol
import Testing

@Suite struct MessageTests {
    @Test(arguments: Samples.requests) func requestsSurviveTheRoundTrip(request: GuestRequest) throws {
        #expect(try CBORDecoder().decode(GuestRequest.self, from: CBOREncoder().encode(request)) == request)
    }

    @Test(arguments: Samples.responses) func responsesSurviveTheRoundTrip(response: GuestResponse) throws {
        #expect(try CBORDecoder().decode(GuestResponse.self, from: CBOREncoder().encode(response)) == response)
    }

    @Test func aReasonThatIsNotKnownReadsAsSystem() throws {
        struct Newer: Encodable {
            var reason = "cosmicRay"
            var message = "m"
            var errno: Int32 = 1
        }
        let failure = try CBORDecoder().decode(GuestFailure.self, from: CBOREncoder().encode(Newer()))
        #expect(failure == GuestFailure(.system, "m", errno: 1))
    }

    @Test func anUnknownRequestDoesNotDecode() throws {
        let bytes = try CBOREncoder().encode(["teleport": ["to": "mars"]])
        #expect(throws: DecodingError.self) { try CBORDecoder().decode(GuestRequest.self, from: bytes) }
    }

    @Test func aLongMessageIsCutAndJoined() throws {
        let message = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        var assembler = MessageAssembler(limit: 100_000)
        let frames = Frame.message(.request, stream: 3, message)
        #expect(frames.count == 4)
        for frame in frames.dropLast() { #expect(try assembler.append(frame) == nil) }
        #expect(try assembler.append(frames[3]) == message)
        #expect(Frame.message(.request, stream: 3, []).count == 1)
        #expect(Frame.message(.request, stream: 3, [UInt8](repeating: 0, count: Frame.maximumPayload)).count == 1)
    }

    @Test func aMessageBeyondTheLimitIsRefused() throws {
        var assembler = MessageAssembler(limit: 10)
        #expect(
            try assembler.append(Frame(.request, stream: 1, detail: Frame.Detail.more, payload: [1, 2, 3, 4, 5, 6]))
                == nil)
        #expect(throws: FrameError.messageTooLong) {
            try assembler.append(Frame(.request, stream: 1, payload: [1, 2, 3, 4, 5]))
        }
    }
}
