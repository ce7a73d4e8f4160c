import Testing

@testable import CarpelGuestProtocol

@Suite struct FrameDecoderTests {
    @Test func aHelloIsFound() throws {
        var decoder = FrameDecoder(.agent)
        decoder.append(Hello(nonce: [UInt8](repeating: 7, count: 16)).bytes)
        #expect(try decoder.next() == .hello(Hello(nonce: [UInt8](repeating: 7, count: 16))))
    }
}
