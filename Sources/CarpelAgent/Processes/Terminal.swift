import CLinux
import CarpelGuestProtocol
import Glibc

enum Terminal {
    static func resize(_ master: Descriptor?, rows: UInt16, columns: UInt16) throws(GuestFailure) {
        guard let master else { throw GuestFailure(.invalidState, "the process has no terminal") }
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        try check(ioctl(master.number, UInt(TIOCSWINSZ), &size), "set the size of the terminal")
    }
}

/// A pipe, closed on exec.
func makePipe() throws(GuestFailure) -> (reading: Descriptor, writing: Descriptor) {
    var ends: [Int32] = [-1, -1]
    try checkNegative(carpel_pipe(&ends), "make a pipe")
    return (Descriptor(ends[0]), Descriptor(ends[1]))
}

func openNull() throws(GuestFailure) -> Descriptor {
    Descriptor(try check(open("/dev/null", O_RDWR | O_CLOEXEC), "open /dev/null"))
}

func duplicate(_ descriptor: Descriptor) throws(GuestFailure) -> Descriptor {
    Descriptor(try check(fcntl(descriptor.number, F_DUPFD_CLOEXEC, 0), "duplicate a descriptor"))
}
