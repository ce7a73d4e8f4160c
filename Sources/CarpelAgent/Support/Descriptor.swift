import Glibc

/// A file descriptor that is closed with its last reference.
final class Descriptor {
    let number: Int32

    init(_ number: Int32) { self.number = number }
    deinit { close(number) }

    func makeNonBlocking() {
        _ = fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK)
    }
}
