/// The kernel arguments of every machine.
enum GuestKernel {
    /// Each was measured to save boot time, but for `panic`, which turns a panic into the machine's end.
    static let arguments = [
        "quiet", "tsc=reliable", "no_timer_check", "cryptomgr.notests", "panic=-1", "console=hvc0",
    ]
}
