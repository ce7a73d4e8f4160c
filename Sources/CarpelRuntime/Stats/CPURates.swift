/// What was used of the CPUs between two readings, for CRI's `usageNanoCores`.
///
/// Several may be asking, each as often as it likes: a reading counts from the last one that is a second old, so that
/// one that follows at once does not tell of an instant.
struct CPURates: Sendable {
    private struct Reading {
        var time: UInt64
        var usage: UInt64
    }

    private static let shortestWindow: UInt64 = 1_000_000_000

    private var readings: [String: (older: Reading?, newer: Reading)] = [:]

    /// - Parameters:
    ///   - time: the clock of what was measured, in nanoseconds.
    ///   - usage: nanoseconds of all cores until then.
    /// - Returns: Nanoseconds of all cores per second; nil for the first reading.
    mutating func note(_ id: String, time: UInt64, usage: UInt64) -> UInt64? {
        let reading = Reading(time: time, usage: usage)
        // A counter that has gone back is another one: that of a machine that was restored.
        guard let last = readings[id], time > last.newer.time, usage >= last.newer.usage else {
            readings[id] = (nil, reading)
            return nil
        }
        var base = last.newer
        if time - last.newer.time < Self.shortestWindow, let older = last.older { base = older }
        if time - last.newer.time >= Self.shortestWindow { readings[id] = (last.newer, reading) }
        let (seconds, used) = (Double(time - base.time) / 1e9, Double(usage - min(usage, base.usage)))
        // A hostile guest may tell of any use in a nanosecond.
        return UInt64(min(used / seconds, 0x1p63))
    }

    /// Forgets all that are not named.
    mutating func keep(only ids: Set<String>) { readings = readings.filter { ids.contains($0.key) } }
}
