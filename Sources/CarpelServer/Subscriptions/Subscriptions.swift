import CarpelAPI
import CarpelCore
import CarpelRuntime
import Foundation
import Synchronization

/// The subscriptions of one connection.
///
/// Each takes the next item from its source only when the one before has gone to the socket: what a slow client has not
/// read waits at the source, which is bounded and holds nobody up.
final class Subscriptions: Sendable {
    /// Of one connection at the same time.
    static let maximum = 64

    fileprivate enum Subscription {
        /// Until its id has been sent.
        case waiting(@Sendable () async -> Void)
        case running(Task<Void, Never>)
    }

    private struct State {
        var open: [String: Subscription] = [:]
        var last = 0
        var isClosed = false
    }

    private let state = Mutex(State())
    private let write: @Sendable (Data) async throws -> Void

    /// - Parameter write: sends one line, and waits while the socket is full.
    init(write: @escaping @Sendable (Data) async throws -> Void) { self.write = write }

    /// - Returns: the subscription's id; its items wait until ``begin(_:)``.
    func add<Item: ProtoMessage>(_ method: String, _ items: ItemStream<Item>) throws -> String {
        try state.withLock { state in
            guard state.open.count < Self.maximum else {
                throw CarpelError(
                    .resourceExhausted, "tooManySubscriptions",
                    "a connection may have \(Self.maximum) subscriptions; end one with Unsubscribe, or connect again")
            }
            state.last += 1
            let id = "s\(state.last)"
            state.open[id] = .waiting { await self.send(items, of: method, under: id) }
            return id
        }
    }

    /// Sends the items of subscriptions whose ids the client has.
    func begin(_ ids: [String]) {
        state.withLock { state in
            for id in ids {
                guard !state.isClosed, case .waiting(let send)? = state.open[id] else { continue }
                state.open[id] = .running(
                    Task {
                        await send()
                        self.forget(id)
                    })
            }
        }
    }

    /// Ends a subscription, and returns when its last notification has been sent.
    func end(_ id: String) async {
        let subscription = state.withLock { state in
            if case .waiting? = state.open[id] { return state.open.removeValue(forKey: id) }
            return state.open[id]
        }
        guard case .running(let task)? = subscription else { return }
        task.cancel()
        await task.value
    }

    /// Returns when all have ended.
    func ended() async {
        while let task = state.withLock({ $0.open.values.lazy.compactMap(\.task).first }) { await task.value }
    }

    /// Ends all: the connection is gone.
    func close() {
        let open = state.withLock { state in
            state.isClosed = true
            defer { state.open = [:] }
            return state.open.values
        }
        for subscription in open { subscription.task?.cancel() }
    }

    private func forget(_ id: String) { state.withLock { _ = $0.open.removeValue(forKey: id) } }

    private func send<Item: ProtoMessage>(_ items: ItemStream<Item>, of method: String, under id: String) async {
        var last = SubscriptionNotification<Item>(subscription: id)
        last.end = true
        do {
            while let next = try await items.next() {
                try Task.checkCancellation()
                var notification = SubscriptionNotification<Item>(subscription: id)
                notification.item = next.item
                notification.missed = next.missed
                try await write(try Self.line(method, notification))
            }
        } catch is CancellationError {
            // The client has had enough.
        } catch {
            last.error = JSONRPC.ErrorObject(CarpelError.wrapping(error, during: method))
        }
        guard let line = try? Self.line(method, last) else { return }
        // Also after Unsubscribe, which cancels this task.
        try? await shielded { try await self.write(line) }
    }

    private static func line(_ method: String, _ params: some Codable & Sendable) throws -> Data {
        try JSONRPC.encode(JSONRPC.Request(id: nil, method: method, params: params)) + Data("\n".utf8)
    }
}

extension Subscriptions.Subscription {
    fileprivate var task: Task<Void, Never>? { if case .running(let task) = self { task } else { nil } }
}

/// The subscriptions that one line of the client makes: their items follow the line's answer.
final class CallSubscriptions: Sendable {
    private let subscriptions: Subscriptions
    private let made = Mutex<[String]>([])

    init(_ subscriptions: Subscriptions) { self.subscriptions = subscriptions }

    func add<Item: ProtoMessage>(_ method: String, _ items: ItemStream<Item>) throws -> String {
        let id = try subscriptions.add(method, items)
        made.withLock { $0.append(id) }
        return id
    }

    func end(_ id: String) async { await subscriptions.end(id) }

    /// The line has been answered.
    func begin() { subscriptions.begin(made.withLock { $0 }) }
}
