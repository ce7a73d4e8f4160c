import CarpelCore
import Foundation
import Testing

@Suite struct ByteCountTests {
    @Test(
        arguments: [("0", 0), ("128Mi", 128 << 20), ("2G", 2_000_000_000), ("1Ki", 1024), ("77", 77)]
            as [(String, Int64)])
    func quantitiesAreRead(_ text: String, _ bytes: Int64) {
        #expect(ByteCount(quantity: text)?.bytes == bytes)
    }

    @Test(arguments: ["", "Mi", "-1Mi", "1.5Gi", "1 Mi", "9999999999Ti", "1mi"])
    func otherTextsAreNoQuantities(_ text: String) {
        #expect(ByteCount(quantity: text) == nil)
    }

    @Test func quantitiesAreWrittenInTheLargestWholeUnit() {
        #expect(ByteCount.mebibytes(1536).quantity == "1536Mi")
        #expect(ByteCount.gibibytes(8).quantity == "8Gi")
        #expect(ByteCount(1025).quantity == "1025")
        #expect(ByteCount(0).quantity == "0")
    }

    @Test func descriptionsHaveOneDecimal() {
        #expect(ByteCount(4_718_592).description == "4.5 MiB")
        #expect(ByteCount(12).description == "12 B")
        // A client's huge limit once ended the daemon here.
        #expect(ByteCount(.max).description == "8388607.9 TiB")
    }
}

@Suite struct DeadlineTests {
    @Test func whatIsQuickEnoughAnswers() async throws {
        #expect(try await withDeadline(.seconds(10), reason: "late", "work") { 7 } == 7)
    }

    @Test func whatTakesTooLongIsCancelledAndSaysSo() async {
        await #expect(throws: CarpelError(.deadlineExceeded, "late", "work took longer than 0.01 seconds")) {
            try await withDeadline(.milliseconds(10), reason: "late", "work") {
                try await Task.sleep(for: .seconds(60))
            }
        }
    }
}

@Suite struct LatchTests {
    @Test func everyWaiterGetsTheFirstValue() async throws {
        let latch = Latch<Int>()
        async let first = latch.wait()
        async let second = latch.wait()
        await latch.set(1)
        await latch.set(2)
        #expect(try await [first, second, latch.wait()] == [1, 1, 1])
    }

    @Test func aCancelledWaiterStopsWaiting() async {
        let latch = Latch<Int>()
        let waiter = Task { try await latch.wait() }
        waiter.cancel()
        await #expect(throws: CancellationError.self) { try await waiter.value }
    }
}

@Suite struct UndoStackTests {
    private actor Steps {
        var done: [String] = []
        func note(_ step: String) { done.append(step) }
    }

    @Test func undosRunBackwardsAllOfThemAndTellWhatIsLeft() async {
        let steps = Steps()
        var undo = UndoStack()
        undo.push("a") { await steps.note("a") }
        undo.push("b") { throw CarpelError(.internal, "stuck", "stuck") }
        undo.push("c") { await steps.note("c") }
        #expect(await undo.unwind() == ["b: stuck (INTERNAL, stuck)"])
        #expect(await steps.done == ["c", "a"])
    }

    @Test func undosRunInACancelledTask() async {
        let task = Task {
            var undo = UndoStack()
            undo.push("sleep") { try await Task.sleep(for: .milliseconds(1)) }
            withUnsafeCurrentTask { $0?.cancel() }
            return await undo.unwind()
        }
        #expect(await task.value == [])
    }
}
