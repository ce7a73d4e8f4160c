/// When a host that has died is started again: at once, and then later each time, until one has lived for a while.
struct RestartBackoff {
    private let limits: PluginLimits
    private var deaths = 0

    init(_ limits: PluginLimits) { self.limits = limits }

    /// - Parameter lifetime: how long the host that has died was ready.
    /// - Returns: how long to wait before the next start.
    mutating func delay(afterLifetime lifetime: Duration) -> Duration {
        if lifetime >= limits.backoffReset { deaths = 0 }
        defer { deaths += 1 }
        guard deaths > 0 else { return .zero }
        // 2^20 times any backoff is beyond every limit.
        return min(limits.backoff * (1 << min(deaths - 1, 20)), limits.mostBackoff)
    }
}
