import CarpelCore

/// A number of places of which each is held by one at a time, given out in the order of asking.
actor Slots {
    private var free: Int
    private var waiting: [Latch<Void>] = []

    init(_ count: Int) { free = count }

    /// Runs `body` when there is a place.
    ///
    /// - Throws: `CancellationError` if the task is cancelled while it waits, and what `body` throws.
    nonisolated func take<Value: Sendable>(_ body: @Sendable () async throws -> Value) async throws -> Value {
        if let place = await ask() {
            do {
                try await place.wait()
            } catch {
                await giveUp(place)
                throw error
            }
        }
        do {
            let value = try await body()
            await giveBack()
            return value
        } catch {
            await giveBack()
            throw error
        }
    }

    /// - Returns: nil if there is a place now.
    private func ask() -> Latch<Void>? {
        if free > 0 {
            free -= 1
            return nil
        }
        let place = Latch<Void>()
        waiting.append(place)
        return place
    }

    private func giveBack() async {
        guard !waiting.isEmpty else {
            free += 1
            return
        }
        await waiting.removeFirst().set(())
    }

    /// The place may have come just as the wait was cancelled.
    private func giveUp(_ place: Latch<Void>) async {
        guard let index = waiting.firstIndex(where: { $0 === place }) else { return await giveBack() }
        waiting.remove(at: index)
    }
}
