import CCapability
import Glibc
import TestSupport
import Testing

@testable import CarpelPluginHost

@Suite struct CallTableTests {
    private func call(_ id: Int64, deadline: UInt64 = .max) throws -> CallRequest {
        let text = #"{"id":\#(id),"method":"call","params":{"verb":"V","deadline":\#(deadline),"request":{}}}"#
        guard case .call(let call) = try HostMessage(line: Array(text.utf8)) else { throw SupportError("no call") }
        return call
    }

    /// Cancellations and deadlines are the reader's business: without one a host would be deaf.
    @Test func thereIsAlwaysAThreadLeftThatReads() throws {
        var table = CallTable()
        var threads = 1
        var busy = 0
        for id in 0..<200 as Range<Int64> {
            switch table.place(try call(id), cancelled: -1) {
            case .here: busy += 1
            case .hereWithNewReader:
                busy += 1
                threads += 1
            case .queued: break
            case .refused: Issue.record("refused")
            }
            #expect(busy < threads)
        }
        #expect(threads == 65 && busy == 64)
        let (next, cancelled, last) = (
            table.takeWaiting(cancelled: -1), table.cancel(65), table.takeWaiting(cancelled: -1)
        )
        #expect([next?.id, cancelled?.id, last?.id] == [64, 65, 66])
    }

    @Test func aThreadThatHasEndedItsCallIsUsedForTheNext() throws {
        var table = CallTable()
        let first = table.place(try call(1), cancelled: -1)
        #expect(first == .hereWithNewReader)
        let waiting = table.takeWaiting(cancelled: -1)
        #expect(waiting == nil)
        let second = table.place(try call(2), cancelled: -1)
        #expect(second == .here)
    }

    @Test func deadlinesAndCancellationsReachTheirCallsOnce() throws {
        var table = CallTable()
        let descriptors = (0..<2).map { _ in eventfd(0, Int32(EFD_NONBLOCK)) }
        defer { descriptors.forEach { close($0) } }
        let (first, second) = (try call(1, deadline: 100), try call(2, deadline: 50))
        _ = table.place(first, cancelled: descriptors[0])
        _ = table.place(second, cancelled: descriptors[1])
        #expect(table.nextDeadline == 50)
        table.cancel(pastDeadline: 60)
        #expect(table.nextDeadline == 100)
        let waiting = table.cancel(2)
        let (wasCancelled, firstWasCancelled) = (table.end(second), table.end(first))
        #expect(waiting == nil && wasCancelled && !firstWasCancelled)
        #expect(table.isIdle && table.nextDeadline == nil)
        var count = eventfd_t()
        #expect(eventfd_read(descriptors[1], &count) == 0 && count == 1)
        #expect(eventfd_read(descriptors[0], &count) != 0)
    }
}
