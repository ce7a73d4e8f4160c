import CLinux
import Glibc

/// The kernel's log is the agent's: one place, in order with what the kernel has to say, and a panic's last lines
/// show it.
struct KernelLog {
    private let descriptor: Descriptor?

    init() {
        let number = carpel_kernel_log_open()
        descriptor = number < 0 ? nil : Descriptor(number)
    }

    /// Level 3 of syslog(2): shown on the console also when the kernel was told to be quiet.
    func error(_ message: String) { write(3, message) }
    func info(_ message: String) { write(6, message) }

    private func write(_ level: Int, _ message: String) {
        guard let descriptor else { return }
        // One record is one line; a container's name for something must not make two.
        let line = message.utf8.prefix(800).map { $0 < 0x20 ? 0x20 : $0 }
        // Without an end the kernel keeps the line back until the next one: there could be more of it to come.
        let bytes = Array("<\(level)>carpel-agent: ".utf8) + line + Array("\n".utf8)
        _ = Glibc.write(descriptor.number, bytes, bytes.count)
    }
}
