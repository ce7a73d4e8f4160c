import Testing

@testable import CarpelGuestProtocol

@Suite struct CreditTests {
    @Test func whatIsConsumedIsGrantedAgain() throws {
        var sender = SendCredit()
        var receiver = ReceiveCredit()
        var sent = 0
        while sent < 10 << 20 {
            let count = min(sender.available, 10_000)
            try #require(count > 0)
            sender.spend(count)
            try receiver.receive(count)
            sent += count
            if let grant = receiver.consume(count) {
                let frame = Frame.credit(grant, stream: 1)
                try sender.grant(try #require(frame.grantedCredit))
            }
        }
    }

    @Test func whoConsumesNothingIsSentNoMoreThanTheFirstCredit() throws {
        var receiver = ReceiveCredit()
        try receiver.receive(Frame.initialCredit)
        #expect(throws: FrameError.creditExceeded) { try receiver.receive(1) }
    }

    @Test func creditCannotOverflow() throws {
        var sender = SendCredit()
        #expect(throws: FrameError.creditExceeded) { try sender.grant(Int.max) }
        #expect(throws: FrameError.creditExceeded) { try sender.grant(Int(UInt32.max)) }
        #expect(sender.available == Frame.initialCredit)
    }

    @Test func aCreditFrameOfAnotherShapeGrantsNothing() {
        #expect(Frame(.credit, stream: 1, payload: [1, 2, 3]).grantedCredit == nil)
        #expect(Frame(.data, stream: 1, payload: [1, 2, 3, 4]).grantedCredit == nil)
        #expect(Frame.credit(70_000, stream: 1).grantedCredit == 70_000)
    }
}
