/// The kernel arguments of every machine.
enum GuestKernel {
    /// The console feeds the boot log, and `panic` turns a panic into the machine's end; each of the others was
    /// measured to save boot time.
    static let arguments =
        [
            "console=ttyS0", "panic=-1", "quiet", "tsc=reliable", "no_timer_check", "cryptomgr.notests",
            "8250.nr_uarts=1",
        ] + growth

    /// Where memory may be added, the kernel would set 64 MiB apart for devices that reach 4 GiB only, and there are
    /// none (`swiotlb`). What it keeps about the pages of added memory lies in that memory itself: a guest that has
    /// hardly any left can still be given more.
    private static let growth = ["swiotlb=noforce", "memory_hotplug.memmap_on_memory=1"]
}
