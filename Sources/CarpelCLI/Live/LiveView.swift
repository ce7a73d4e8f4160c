import CarpelCore

/// What changes a view that is drawn again and again.
enum LiveEvent<Sample: Sendable>: Sendable {
    case sample(Sample)
    case key(Character)
    case failed(any Error)
}

/// Shows what is sampled until a key, a signal or a failure ends it.
enum LiveView {
    /// - Parameters:
    ///   - show: What to draw after an event; nil ends the view. `q` and control with C are not handed to it.
    static func run<Sample: Sendable>(
        on screen: LiveScreen, every interval: Duration, _ sample: @escaping @Sendable () async throws -> Sample,
        show: @escaping @Sendable (LiveEvent<Sample>) throws -> String
    ) async throws {
        let (result, _) = await Interruption.cancelling {
            defer { screen.end() }
            let (events, continuation) = AsyncStream.makeStream(of: LiveEvent<Sample>.self)
            let sampling = Task {
                do {
                    while !Task.isCancelled {
                        continuation.yield(.sample(try await sample()))
                        try await Task.sleep(for: interval)
                    }
                } catch {
                    continuation.yield(.failed(error))
                }
            }
            let typing = Task {
                for await key in screen.keys { continuation.yield(.key(Character(UnicodeScalar(key)))) }
                continuation.finish()
            }
            defer {
                sampling.cancel()
                typing.cancel()
            }
            for await event in events {
                switch event {
                case .key("q"), .key("\u{3}"): return
                case .failed(let error): throw error
                default: screen.draw(try show(event))
                }
            }
        }
        if case .failure(let error) = result, !(error is CancellationError) { throw error }
    }
}
