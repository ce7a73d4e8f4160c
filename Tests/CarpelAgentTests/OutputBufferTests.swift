import CarpelGuestProtocol
import Testing

@testable import CarpelAgent

@Suite struct OutputBufferTests {
    private func append(_ buffer: inout OutputBuffer, _ count: Int) {
        buffer.append(.stdout, [UInt8](repeating: UInt8(truncatingIfNeeded: buffer.next), count: count)[...], at: 0)
    }

    @Test func recordsAreFoundUntilTheyAreReleased() {
        var buffer = OutputBuffer()
        for _ in 0..<10 { append(&buffer, 5) }
        #expect(buffer.record(from: 0)?.sequence == 0)
        #expect(buffer.record(from: 9)?.sequence == 9)
        #expect(buffer.record(from: 10) == nil)
        #expect(buffer.record(from: .max) == nil)
        buffer.release(before: 7)
        #expect(buffer.record(from: 0)?.sequence == 7)
        buffer.release(before: .max)
        #expect(buffer.record(from: 0) == nil)
        #expect(buffer.next == 10)
        append(&buffer, 1)
        #expect(buffer.record(from: 0)?.sequence == 10)
    }

    @Test func theOldestGoWhenThereIsNoRoom() {
        var buffer = OutputBuffer()
        for _ in 0..<1000 { append(&buffer, 16 << 10) }
        let first = buffer.first
        #expect(first > 900)
        #expect(buffer.record(from: 0)?.sequence == first)
        #expect(buffer.record(from: 0)?.bytes.first == UInt8(truncatingIfNeeded: first))
        #expect(buffer.next == 1000)
    }

    @Test func manyShortRecordsAreBoundedToo() {
        var buffer = OutputBuffer()
        for _ in 0..<100_000 { append(&buffer, 1) }
        #expect(buffer.next - buffer.first < OutputBuffer.limit / OutputRecord.overhead)
        #expect(buffer.room < OutputRecord.overhead + 1)
        buffer.release(before: buffer.next)
        #expect(buffer.room == OutputBuffer.limit - OutputRecord.overhead)
    }
}
