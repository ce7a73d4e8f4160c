import CarpelCore

/// Decides when a container's losses of output are told to the node's log: the first at once, and what follows within a
/// minute as one sum behind it. A guest can lose something with every byte that it sends.
struct LossReport {
    static let interval = Duration.seconds(60)

    private var untold = LostOutput()
    private var last: ContinuousClock.Instant?

    /// When the rest is to be told; nil if there is none.
    var due: ContinuousClock.Instant? {
        untold == LostOutput() ? nil : last.map { $0 + Self.interval }
    }

    /// - Returns: what is to be told now.
    mutating func add(_ lost: LostOutput, at now: ContinuousClock.Instant) -> LostOutput? {
        untold += lost
        if let due, due > now { return nil }
        return takeRest(at: now)
    }

    /// What has not been told yet, if anything.
    mutating func takeRest(at now: ContinuousClock.Instant) -> LostOutput? {
        guard untold != LostOutput() else { return nil }
        last = now
        defer { untold = LostOutput() }
        return untold
    }
}
