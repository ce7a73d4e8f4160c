import Glibc

enum Clock {
    /// Nanoseconds since 1970.
    static var now: UInt64 { nanoseconds(CLOCK_REALTIME) }
    /// Nanoseconds that nobody sets.
    static var steady: UInt64 { nanoseconds(CLOCK_MONOTONIC) }

    private static func nanoseconds(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(max(0, time.tv_sec)) &* 1_000_000_000 &+ UInt64(max(0, time.tv_nsec))
    }

    static func set(_ nanoseconds: UInt64) {
        var time = timespec(
            tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        clock_settime(CLOCK_REALTIME, &time)
    }
}
