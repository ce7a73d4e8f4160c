import Synchronization

/// Items for one reader, who takes one when it is ready for it. What is not taken yet is kept within a bound, or is
/// not made yet.
public struct ItemStream<Item: Sendable>: Sendable {
    public struct Delivery: Sendable {
        public var item: Item
        /// Items that were dropped just before this one, since the reader was too slow.
        public var missed: UInt64

        init(_ item: Item, missed: UInt64 = 0) {
            self.item = item
            self.missed = missed
        }
    }

    private let body: @Sendable () async throws -> Delivery?

    init(_ body: @escaping @Sendable () async throws -> Delivery?) { self.body = body }

    /// Items that are made when they are asked for, until `make` gives nil.
    public init(making make: @escaping @Sendable () throws -> Item?) {
        self.init { try make().map { Delivery($0) } }
    }

    /// Waits for the next item; nil behind the last.
    ///
    /// - Throws: `CancellationError` if the waiting task is cancelled; else why there are no more.
    public func next() async throws -> Delivery? { try await body() }
}

extension ItemStream {
    /// First `items`, and then what `log` has behind `number`.
    static func following(_ log: EventLog<Item>, after number: UInt64, first items: [Item]) -> ItemStream {
        let reader = LogReader(log, after: number, first: items)
        return ItemStream { try await reader.next() }
    }
}

/// One reader's place in a log.
private final class LogReader<Element: Sendable>: Sendable {
    private let log: EventLog<Element>
    private let place: Mutex<(first: ArraySlice<Element>, number: UInt64)>

    init(_ log: EventLog<Element>, after number: UInt64, first items: [Element]) {
        self.log = log
        place = Mutex((items[...], number))
    }

    func next() async throws -> ItemStream<Element>.Delivery {
        let (item, number) = place.withLock { ($0.first.popFirst(), $0.number) }
        if let item { return .init(item) }
        let next = try await log.next(after: number)
        place.withLock { $0.number = next.number }
        return .init(next.element, missed: next.missed)
    }
}
