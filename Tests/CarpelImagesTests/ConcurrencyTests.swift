import CarpelCore
import Foundation
import Testing

@testable import CarpelImages

/// Pulls at the same time, and pulls that are given up.
@Suite struct ConcurrencyTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test func pullsOfOneImageShareItsBlobs() async throws {
        let image = try await TestImage.large(2_000_000)
        let registry = try await HostileRegistry(["app": image])
        let store = try await ImageStore.test(scratch, testConfiguration(registry.name))
        try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<8 { group.addTask { try await store.pull("\(registry.name)/app").id } }
            for try await id in group { #expect(id == image.configDigest.description) }
        }
        let blob = "/v2/app/blobs/\(image.layers[0].digest)"
        #expect(registry.seen.filter { $0.path == blob }.count == 1)
    }

    @Test func cancelledPullEndsAtOnceAndTheNextOneContinues() async throws {
        let image = try await TestImage.large(2_000_000)
        let bytes = image.blobs[image.layers[0].digest] ?? []
        let blob = "/v2/app/blobs/\(image.layers[0].digest)"
        let silent = try await HostileRegistry(["app": image]) { request in
            request.path == blob ? .init(body: bytes, stallsAfter: 1_000_000) : nil
        }
        let store = try await ImageStore.test(scratch, testConfiguration(silent.name))
        let (progress, steps) = AsyncStream<PullProgress>.makeStream()
        let pull = Task { try await store.pull("\(silent.name)/app", credentials: nil) { steps.yield($0) } }
        for await step in progress where step.phase == .downloading && step.done.bytes > 0 { break }
        pull.cancel()
        let error = await failure {
            try await withDeadline(.seconds(5), reason: "late", "cancel") { try await pull.value }
        }
        #expect(error?.code == .cancelled)
        #expect(try await store.list().isEmpty)

        let good = try await HostileRegistry(["app": image])
        let next = try await ImageStore.test(scratch, testConfiguration(good.name))
        _ = try await next.pull("\(good.name)/app")
        #expect(good.seen.first { $0.path == blob }?.headers["range"] != nil)
    }

    @Test func oneCallerLeavingDoesNotStopTheOthers() async throws {
        let work = SharedWork<Int, Int, String>()
        let (began, begin) = AsyncStream<Void>.makeStream()
        let (release, end) = AsyncStream<Void>.makeStream()
        let operation: SharedWork<Int, Int, String>.Operation = { report in
            begin.yield()
            for await _ in release { break }
            try Task.checkCancellation()
            report(1)
            return "done"
        }
        let first = Task { try await work.run(1, progress: { _ in }, operation: operation) }
        for await _ in began { break }
        let second = Task { try await work.run(1, progress: { _ in }, operation: { _ in "not this" }) }
        // The second has joined when it no longer answers at once.
        while work.callerCount(1) < 2 { await Task.yield() }
        first.cancel()
        await #expect(throws: CancellationError.self) { try await first.value }
        end.yield()
        #expect(try await second.value == "done")
    }

    @Test func abandonedWorkIsCancelledAndStartedAnew() async throws {
        let work = SharedWork<Int, Int, String>()
        let (began, begin) = AsyncStream<Void>.makeStream()
        let first = Task {
            try await work.run(1, progress: { _ in }) { _ in
                begin.yield()
                try await Task.sleep(for: .seconds(60))
                return "never"
            }
        }
        for await _ in began { break }
        first.cancel()
        await #expect(throws: CancellationError.self) { try await first.value }
        #expect(try await work.run(1, progress: { _ in }) { _ in "anew" } == "anew")
    }

    @Test func gateLetsThroughWhatItMay() async throws {
        let gate = Gate(limit: 1)
        let (release, end) = AsyncStream<Void>.makeStream()
        let (began, begin) = AsyncStream<Void>.makeStream()
        let holder = Task {
            try await gate.run {
                begin.yield()
                for await _ in release { break }
            }
        }
        for await _ in began { break }
        let waiting = Task { try await gate.run { "second" } }
        let cancelled = Task { try await gate.run { "third" } }
        cancelled.cancel()
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        end.yield()
        try await holder.value
        #expect(try await waiting.value == "second")
    }
}
