import CarpelCore

/// One at a time for each attachment, in the order of asking; different ones at once.
actor Turns {
    private var last: [AttachmentKey: Latch<Void>] = [:]

    /// Runs `body` when everyone who asked before has ended.
    ///
    /// - Throws: `CancellationError` if the task is cancelled while it waits, and what `body` throws.
    nonisolated func take<Value: Sendable>(
        _ key: AttachmentKey, _ body: @Sendable () async throws -> Value
    ) async throws -> Value {
        let (previous, own) = await enqueue(key)
        do {
            try await previous?.wait()
        } catch {
            // The place in the queue stays, for those behind it.
            Task {
                try await previous?.wait()
                await leave(key, own)
            }
            throw error
        }
        do {
            let value = try await body()
            await leave(key, own)
            return value
        } catch {
            await leave(key, own)
            throw error
        }
    }

    private func enqueue(_ key: AttachmentKey) -> (previous: Latch<Void>?, own: Latch<Void>) {
        let own = Latch<Void>()
        return (last.updateValue(own, forKey: key), own)
    }

    private func leave(_ key: AttachmentKey, _ own: Latch<Void>) async {
        if last[key] === own { last[key] = nil }
        await own.set(())
    }
}
