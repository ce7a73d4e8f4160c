import Synchronization

/// Tasks that nobody waits for, until the end.
final class BackgroundTasks: Sendable {
    private struct State {
        var running = 0
        var waiting: [OneShot<Void>] = []
    }

    private let state = Mutex(State())

    func run(_ operation: @escaping @Sendable () async -> Void) {
        state.withLock { $0.running += 1 }
        Task {
            await operation()
            ended()
        }
    }

    private func ended() {
        let waiting = state.withLock { state -> [OneShot<Void>] in
            state.running -= 1
            guard state.running == 0 else { return [] }
            defer { state.waiting = [] }
            return state.waiting
        }
        for shot in waiting { shot.fulfil(()) }
    }

    /// Returns when none is running, or when the waiting task is cancelled.
    func waitUntilIdle() async {
        let idle = OneShot<Void>()
        state.withLock { state in
            if state.running == 0 { idle.fulfil(()) } else { state.waiting.append(idle) }
        }
        await idle.wait()
    }
}
