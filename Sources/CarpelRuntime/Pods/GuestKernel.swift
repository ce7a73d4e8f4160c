/// The kernel arguments of every machine.
enum GuestKernel {
    /// The console feeds the boot log, and `panic` turns a panic into the machine's end; each of the others was
    /// measured to save boot time.
    static let arguments = [
        "console=ttyS0", "panic=-1", "quiet", "tsc=reliable", "no_timer_check", "cryptomgr.notests",
        "8250.nr_uarts=1",
    ]
}
