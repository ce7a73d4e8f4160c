import Synchronization

/// Whether work on a thread of its own should stop. It asks; nobody interrupts it.
final class CancellationFlag: Sendable {
    private let cancelled = Atomic(false)

    func cancel() { cancelled.store(true, ordering: .relaxed) }

    func check() throws {
        if cancelled.load(ordering: .relaxed) { throw CancellationError() }
    }
}
