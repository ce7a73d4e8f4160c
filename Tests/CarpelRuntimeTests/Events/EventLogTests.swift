import Testing

@testable import CarpelRuntime

@Suite(.timeLimit(.minutes(1))) struct EventLogTests {
    @Test func readersGetEverythingInOrderAtTheirOwnPace() async throws {
        let log = EventLog<Int>(after: 100, capacity: 8)
        for number in 1...3 { log.append { _ in number } }
        #expect(log.last == 103)
        var place: UInt64 = 100
        for number in 1...3 {
            let next = try await log.next(after: place)
            #expect(next.element == number && next.number == place + 1 && next.missed == 0)
            place = next.number
        }
        #expect(try await log.next(after: 101).element == 2)
    }

    @Test func aReaderThatIsTooSlowLearnsHowMuchItMissed() async throws {
        let log = EventLog<Int>(capacity: 4)
        for number in 1...10 { log.append { _ in number } }
        let next = try await log.next(after: 2)
        #expect(next.element == 7 && next.number == 7 && next.missed == 4)
        #expect(log.elements == [7, 8, 9, 10])
        #expect(log.keepsAll(after: 6) && !log.keepsAll(after: 5))
        #expect(log.keepsAll(after: 10) && !log.keepsAll(after: 11))
    }

    @Test func readersWaitForWhatComes() async throws {
        let log = EventLog<Int>(capacity: 4)
        let readers = (0..<8).map { _ in Task { try await log.next(after: 0).element } }
        await Task.yield()
        log.append { _ in 5 }
        for reader in readers { #expect(try await reader.value == 5) }
    }

    @Test func aReaderThatIsCancelledStopsWaiting() async throws {
        let log = EventLog<Int>(capacity: 4)
        let reader = Task { try await log.next(after: 0) }
        await Task.yield()
        reader.cancel()
        await #expect(throws: CancellationError.self) { try await reader.value }
    }
}
