import CarpelAPI
import CarpelGuestProtocol

@testable import CarpelRuntime

/// What the runtime makes of a guest's counters.
func convert(_ stats: GuestStats) {
    var rates = CPURates()
    for usage in [stats.pod] + stats.containers.map(\.usage) {
        let rate = rates.note("p", time: usage.processes, usage: usage.cpu.nanoseconds)
        _ = CpuUsage(usage, rate: rate, time: 1)
        _ = MemoryUsage(usage, limit: usage.memory.limit, time: 1)
        _ = SwapUsage(usage.memory, time: 1)
        _ = IoUsage(usage, time: 1)
    }
    _ = NetworkUsage(stats.interfaces, time: 1)
}
