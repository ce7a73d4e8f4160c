import CarpelCore
import Testing

@testable import NetworkCNI

@Suite struct TurnsTests {
    private let key: AttachmentKey

    init() throws { key = try AttachmentKey(podID: "pod", interfaceName: "eth0") }

    @Test func whoWaitsInVainDoesNotHoldUpThoseBehind() async throws {
        let turns = Turns()
        let (entered, release) = (Latch<Void>(), Latch<Void>())
        let first = Task { [key] in
            try await turns.take(key) {
                await entered.set(())
                try await release.wait()
            }
        }
        try await entered.wait()
        let second = Task { [key] in try await turns.take(key) { Issue.record("it was cancelled") } }
        second.cancel()
        await #expect(throws: CancellationError.self) { try await second.value }
        let third = Task { [key] in try await turns.take(key) { "done" } }
        await release.set(())
        #expect(try await third.value == "done")
        try await first.value
    }

    @Test func anotherInterfaceDoesNotWait() async throws {
        let turns = Turns()
        let other = try AttachmentKey(podID: "pod", interfaceName: "eth1")
        try await turns.take(key) { try await turns.take(other) {} }
    }
}

private actor Busy {
    private(set) var now = 0
    private(set) var most = 0

    func begin() {
        now += 1
        most = max(most, now)
    }

    func end() { now -= 1 }
}

@Suite struct SlotsTests {
    @Test func noMoreThanThatManyAtOnce() async throws {
        let slots = Slots(2)
        let busy = Busy()
        try await withThrowingTaskGroup { group in
            for _ in 0..<20 {
                group.addTask {
                    try await slots.take {
                        await busy.begin()
                        await Task.yield()
                        await busy.end()
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(await busy.most == 2)
    }

    @Test func whoIsCancelledWhileWaitingTakesNoPlace() async throws {
        let slots = Slots(1)
        let (entered, release) = (Latch<Void>(), Latch<Void>())
        let holder = Task {
            try await slots.take {
                await entered.set(())
                try await release.wait()
            }
        }
        try await entered.wait()
        let waiter = Task { try await slots.take { Issue.record("it was cancelled") } }
        waiter.cancel()
        await #expect(throws: CancellationError.self) { try await waiter.value }
        await release.set(())
        try await holder.value
        #expect(try await slots.take { "free" } == "free")
    }
}
