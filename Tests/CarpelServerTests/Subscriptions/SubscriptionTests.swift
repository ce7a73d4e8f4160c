import CarpelAPI
import CarpelCore
import CarpelRuntime
import Foundation
import Logging
import Synchronization
import Testing

@testable import CarpelServer

@Suite(.timeLimit(.minutes(1))) struct SubscriptionTests {
    /// A socket that keeps its lines.
    private final class Socket: Sendable {
        private let sent = Mutex<[Data]>([])
        let hasEnded = Latch<Void>()

        func send(_ line: Data) async {
            sent.withLock { $0.append(line) }
            if line.contains(Data(#""end":true"#.utf8)) { await hasEnded.set(()) }
        }

        var notifications: [SubscriptionNotification<VersionResponse>] {
            sent.withLock { $0 }.compactMap {
                try? JSONDecoder().decode(JSONRPC.Request<SubscriptionNotification<VersionResponse>>.self, from: $0)
                    .params
            }
        }
    }

    private static func versions(_ count: Int, failing: Bool = false) -> ItemStream<VersionResponse> {
        let next = Mutex(0)
        return ItemStream(making: {
            try next.withLock { number in
                number += 1
                if number > count, failing { throw CarpelError(.aborted, "broken", "it broke") }
                return number > count ? nil : VersionResponse { $0.version = "\(number)" }
            }
        })
    }

    @Test func nothingIsSentBeforeTheAnswerAndTheEndIsLast() async throws {
        let socket = Socket()
        let subscriptions = Subscriptions { await socket.send($0) }
        let id = try subscriptions.add("M", Self.versions(3))
        #expect(socket.notifications.isEmpty)
        subscriptions.begin([id])
        await subscriptions.ended()
        let sent = socket.notifications
        #expect(sent.compactMap(\.item?.version) == ["1", "2", "3"])
        #expect(sent.map(\.end) == [false, false, false, true])
        #expect(sent.allSatisfy { $0.subscription == id && $0.error == nil })
    }

    @Test func aFailureIsToldWithTheEnd() async throws {
        let socket = Socket()
        let subscriptions = Subscriptions { await socket.send($0) }
        subscriptions.begin([try subscriptions.add("M", Self.versions(1, failing: true))])
        await subscriptions.ended()
        #expect(socket.notifications.map(\.end) == [false, true])
        #expect(socket.notifications.last?.error?.data.reason == "broken")
    }

    @Test func unsubscribingEndsAStreamThatHasNoEnd() async throws {
        let socket = Socket()
        let subscriptions = Subscriptions { await socket.send($0) }
        let endless = ItemStream<VersionResponse>(making: { VersionResponse() })
        let id = try subscriptions.add("M", endless)
        subscriptions.begin([id])
        await subscriptions.end(id)
        #expect(socket.notifications.last?.end == true)
        await subscriptions.end(id)
        await subscriptions.end("unknown")
        await subscriptions.ended()
    }

    /// An item is taken from its source when the one before has been sent.
    @Test func aSocketThatIsFullHoldsTheSourceBack() async throws {
        let gate = Latch<Void>()
        let taken = Mutex(0)
        let subscriptions = Subscriptions { _ in try await gate.wait() }
        let source = ItemStream<VersionResponse>(making: {
            taken.withLock { count in
                count += 1
                return count > 10 ? nil : VersionResponse()
            }
        })
        subscriptions.begin([try subscriptions.add("M", source)])
        for _ in 0..<100 { await Task.yield() }
        #expect(taken.withLock { $0 } <= 1)
        await gate.set(())
        await subscriptions.ended()
        #expect(taken.withLock { $0 } == 11)
    }

    @Test func aConnectionHasABoundedNumberOfThem() throws {
        let subscriptions = Subscriptions { _ in }
        for _ in 0..<Subscriptions.maximum { _ = try subscriptions.add("M", Self.versions(1)) }
        #expect { try subscriptions.add("M", Self.versions(1)) } throws: {
            ($0 as? CarpelError)?.reason == "tooManySubscriptions"
        }
    }

    @Test func aListIsCutIntoPartsThatHoldEveryElementOnce() throws {
        let elements = (0..<1000).map { number in
            KeyValue {
                $0.key = "\(number)"
                $0.value = Data(repeating: 0, count: 1000)
            }
        }
        let list = PartedList(elements)
        var parts: [[KeyValue]] = []
        while let part = try list.next() { parts.append(part) }
        #expect(parts.joined().map(\.key) == elements.map(\.key))
        for part in parts {
            let length = try JSONRPC.encode(part).count
            #expect(length <= PartedList<KeyValue>.maximumPartLength + 1)
        }
        #expect(parts.count == 6)
        #expect(try PartedList([KeyValue]()).next() == nil)
        let large = KeyValue { $0.value = Data(repeating: 0, count: 300 << 10) }
        let pair = PartedList([large, large])
        #expect(try pair.next()?.count == 1)
        #expect(try pair.next()?.count == 1)
    }

    @Test func aStreamThatNobodyCouldTellApartIsNotBegun() async throws {
        var methods = MethodTable()
        methods.add(Methods.watchNode) { _, _ in
            Issue.record("nobody has asked to be answered")
            return ItemStream(making: { nil })
        }
        let dispatcher = Dispatcher(methods, logger: Logger(label: "test"))
        let line = Array(#"{"jsonrpc":"2.0","method":"WatchNode"}"#.utf8)
        #expect(await dispatcher.answer(line, CallContext(role: .admin, notify: { _, _ in })) == nil)
    }
}
