import CLinux
import CarpelGuestProtocol
import Glibc

/// Tells that the machine's devices have changed. What changed is read from /sys: events get lost when many come.
final class DeviceEvents {
    private let descriptor: Descriptor

    init(loop: EventLoop, changed: @escaping () -> Void) throws(GuestFailure) {
        let socket = Descriptor(try checkNegative(carpel_uevent_socket(), "open the device event socket"))
        descriptor = socket
        try loop.watch(socket, .readable) { [unowned loop] _ in
            while recv(socket.number, &loop.scratch, loop.scratch.count, 0) >= 0 || errno == ENOBUFS {}
            changed()
        }
    }
}
