import Testing

@testable import CarpelGuestProtocol

@Suite struct FrameDecoderTests {
    private let first = [UInt8](repeating: 0x11, count: 16)
    private let second = (0..<16).map { UInt8($0) | 0x80 }

    private let frames: [Frame] = [
        Frame(.request, stream: 1, payload: [1, 2, 3]), Frame(.data, stream: 7, detail: 2, payload: Array(0...255)),
        Frame(.end, stream: .max), .credit(5, stream: 2),
        Frame(.data, stream: 1, payload: [UInt8](repeating: 0xF5, count: Frame.maximumPayload)),
        Frame(.data, stream: 1, payload: Hello.magic + [1] + [UInt8](repeating: 0, count: 17)),
    ]

    private func session(_ nonce: [UInt8], _ frames: [Frame], masked: Bool) -> [UInt8] {
        let encoder = FrameEncoder(mask: masked ? nonce : [])
        var bytes = Hello(nonce: nonce).bytes
        for frame in frames { encoder.encode(frame, into: &bytes) }
        return bytes
    }

    /// Everything that a decoder finds in `bytes`, given in pieces of `size`.
    private func items(_ decoder: inout FrameDecoder, _ bytes: [UInt8], size: Int = .max) throws -> [FrameDecoder.Item]
    {
        var found: [FrameDecoder.Item] = []
        var start = 0
        while start < bytes.count {
            let end = size < bytes.count - start ? start + size : bytes.count
            decoder.append(bytes[start..<end])
            while let item = try decoder.next() { found.append(item) }
            start = end
        }
        return found
    }

    @Test(arguments: [1, 2, 7, 16, 35, 1000, 40_000, 1 << 20])
    func framesComeWholeHoweverTheyAreCut(size: Int) throws {
        var agent = FrameDecoder(.agent)
        let toAgent = try items(&agent, session(first, frames, masked: true), size: size)
        #expect(toAgent == [.hello(Hello(nonce: first))] + frames.map { .frame($0) })

        var host = FrameDecoder(.host(nonce: first))
        let toHost = try items(&host, session(first, frames, masked: false), size: size)
        #expect(toHost == [.hello(Hello(nonce: first))] + frames.map { .frame($0) })
    }

    @Test func aFrameIsReadWithItsLastByteWhateverThatByteIs() throws {
        for last in 0...255 as ClosedRange<UInt8> {
            var agent = FrameDecoder(.agent)
            let frame = Frame(.data, stream: 1, payload: [last ^ first[0]])
            #expect(try items(&agent, session(first, [frame], masked: true)).last == .frame(frame))
        }
    }

    @Test func theAgentFindsTheNextSessionWhereverTheLastOneWasCut() throws {
        let old = session(first, frames, masked: true)
        let new = session(second, frames, masked: true)
        var generator = Seeded(2)
        let cuts = Array(0...200) + (0..<200).map { _ in Int.random(in: 0...old.count, using: &generator) }
        for cut in cuts {
            var agent = FrameDecoder(.agent)
            let size = Int.random(in: 1...5000, using: &generator)
            let found = try items(&agent, Array(old[..<cut]) + new, size: size)
            let start = try #require(found.lastIndex(of: .hello(Hello(nonce: second))))
            #expect(Array(found[(start + 1)...]) == frames.map { .frame($0) })
            // What came before is a beginning of the old session, and nothing that it did not say.
            let before = [.hello(Hello(nonce: first))] + frames.map { FrameDecoder.Item.frame($0) }
            #expect(Array(found[..<start]) == Array(before.prefix(start)))
        }
    }

    @Test func theAgentFindsAHelloThatCutsAHello() throws {
        let new = session(second, [frames[0]], masked: true)
        for cut in 0...Hello(nonce: first).bytes.count {
            var agent = FrameDecoder(.agent)
            let found = try items(&agent, Array(Hello(nonce: first).bytes[..<cut]) + new)
            #expect(Array(found.suffix(2)) == [.hello(Hello(nonce: second)), .frame(frames[0])])
        }
    }

    @Test func theHostIgnoresWhatAnEarlierSessionLeft() throws {
        let old = session(first, frames, masked: false)
        let new = session(second, frames, masked: false)
        var generator = Seeded(3)
        let cuts = Array(0...200) + (0..<200).map { _ in Int.random(in: 0...old.count, using: &generator) }
        for cut in cuts {
            var host = FrameDecoder(.host(nonce: second))
            let size = Int.random(in: 1...5000, using: &generator)
            // Old bytes from the middle on, an old answer that was cut, then the real one.
            let stale = Array(old[cut...]) + Array(old[..<min(cut, old.count)])
            let found = try items(&host, stale + new, size: size)
            #expect(found == [.hello(Hello(nonce: second))] + frames.map { .frame($0) })
        }
    }

    @Test func aMagicInAPayloadMeansNothingToTheHost() throws {
        var host = FrameDecoder(.host(nonce: first))
        let frame = Frame(.data, stream: 1, payload: Hello(nonce: first).bytes)
        #expect(
            try items(&host, session(first, [frame, frames[0]], masked: false)).suffix(2) == [
                .frame(frame), .frame(frames[0]),
            ])
    }

    @Test func whatIsNoFrameIsRefusedAndTheNextHelloIsFound() throws {
        let bad: [([UInt8], FrameError)] = [
            ([0, 0, 0, 0, 0, 0, 0, 0, 0], .unknownKind(0)), ([200, 0, 0, 0, 0, 0, 0, 0, 0], .unknownKind(200)),
            ([4, 0, 1, 0x80, 0, 0, 0, 0, 0], .tooLong(0x8001)), ([4, 0, 0, 0, 1, 0, 0, 0, 9], .missingTrailer),
        ]
        for (bytes, error) in bad {
            for role in [FrameDecoder.Role.agent, .host(nonce: first)] {
                var decoder = FrameDecoder(role)
                decoder.append(Hello(nonce: first).bytes + bytes)
                #expect(try decoder.next() == .hello(Hello(nonce: first)))
                #expect(throws: error) { try decoder.next() }
                #expect(
                    try items(&decoder, session(first, [frames[0]], masked: role == .agent)).last == .frame(frames[0]))
            }
        }
    }

    @Test func garbageNeverTrapsAndNeverHidesAHello() throws {
        var generator = Seeded(4)
        for _ in 0..<400 {
            var bytes = session(first, frames, masked: true)
            for _ in 0..<Int.random(in: 1...20, using: &generator) { generator.mutate(&bytes) }
            bytes = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &generator)))
            var agent = FrameDecoder(.agent)
            agent.append(bytes + session(second, [frames[0]], masked: true))
            var last: FrameDecoder.Item?
            while true {
                do {
                    guard let item = try agent.next() else { break }
                    last = item
                } catch {}
            }
            #expect(last == .frame(frames[0]))
        }
    }
}
