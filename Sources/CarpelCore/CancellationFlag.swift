import Synchronization

/// Whether work on a thread of its own should stop. It asks; nobody interrupts it.
public final class CancellationFlag: Sendable {
    private let cancelled = Atomic(false)

    public init() {}

    func cancel() { cancelled.store(true, ordering: .relaxed) }

    public func check() throws {
        if cancelled.load(ordering: .relaxed) { throw CancellationError() }
    }
}
