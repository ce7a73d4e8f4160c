import Synchronization

/// What the long lines of all connections may take together, from their first byte to their answer.
///
/// A line may be 16 MiB long and a connection may have 64 of them under way: without a common bound a few clients could
/// take all of the node's memory.
final class LineBudget: Sendable {
    /// Lines up to this length are not counted.
    static let freeLength = 64 << 10

    private let free: Mutex<Int>

    init(bytes: Int = 64 << 20) { free = Mutex(bytes) }

    fileprivate func take(_ count: Int) -> Bool {
        free.withLock { free in
            guard free >= count else { return false }
            free -= count
            return true
        }
    }

    fileprivate func giveBack(_ count: Int) { free.withLock { $0 += count } }
}

/// What one line has taken of the budget. It is given back when nobody holds this any more.
final class LineReservation: Sendable {
    private let budget: LineBudget
    private let taken = Mutex(0)

    init(_ budget: LineBudget) { self.budget = budget }

    deinit { budget.giveBack(taken.withLock { $0 }) }

    /// - Returns: false if the budget has not enough left.
    func covers(_ length: Int) -> Bool {
        taken.withLock { taken in
            let more = length - max(taken, LineBudget.freeLength)
            guard more > 0 else { return true }
            // A long line grows by many reads: not each of them need ask.
            let step = max(more + max(0, LineBudget.freeLength - taken), LineBudget.freeLength)
            guard budget.take(step) else { return false }
            taken += step
            return true
        }
    }
}
