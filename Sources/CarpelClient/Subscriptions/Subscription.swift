import CarpelAPI
import CarpelCore
import Foundation
import NIOCore
import Synchronization

/// The items of a method that streams, for one reader.
///
/// It has a connection of its own: a reader that is slow holds up nothing else, and what it does not read waits in the
/// daemon, which drops and counts what exceeds its bound (never the entries of a list). It ends with the last item;
/// with its owner, and when the reading task is cancelled, its connection is closed.
public final class Subscription<Item: ProtoMessage>: AsyncSequence, Sendable {
    public struct Element: Sendable {
        public let item: Item
        /// Items that were dropped just before this one, since this reader was too slow.
        public let missed: UInt64
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        let subscription: Subscription

        /// - Throws: `CarpelError`: the daemon's, or `connectionClosed`; `CancellationError`.
        public func next() async throws -> Element? { try await subscription.next() }
    }

    private let channel: any Channel
    private let lines: LineQueue
    private let hasEnded = Mutex(false)

    init(channel: any Channel, lines: LineQueue) {
        self.channel = channel
        self.lines = lines
    }

    deinit { channel.close(promise: nil) }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(subscription: self) }

    /// Ends the subscription.
    public func cancel() { channel.close(promise: nil) }

    private func next() async throws -> Element? {
        if hasEnded.withLock({ $0 }) { return nil }
        let params = try decode(try await lines.next(from: channel))
        guard params.end else { return params.item.map { Element(item: $0, missed: params.missed) } }
        hasEnded.withLock { $0 = true }
        channel.close(promise: nil)
        if let error = params.error { throw error.error }
        return nil
    }

    private func decode(_ line: Data) throws -> SubscriptionNotification<Item> {
        do {
            return try JSONDecoder().decode(JSONRPC.Request<SubscriptionNotification<Item>>.self, from: line).params
        } catch {
            throw CarpelError(
                .internal, "unreadableAnswer",
                "an item cannot be read (\(error)): check with `carpel version` that client and daemon match")
        }
    }
}
