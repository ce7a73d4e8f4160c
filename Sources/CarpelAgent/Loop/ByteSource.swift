import CarpelGuestProtocol
import Glibc

/// The reading end of a pipe or terminal. Reads only what somebody has room for, so that the writer waits otherwise.
final class ByteSource {
    /// At most this many bytes are delivered at once.
    static let chunk = 16 << 10

    private let loop: EventLoop
    private var descriptor: Descriptor?
    private var isWatched = false
    private var isLast = false
    private let room: () -> Int
    private let deliver: (ArraySlice<UInt8>) -> Void
    private let ended: () -> Void

    /// - Parameters:
    ///   - room: How many bytes may be read now; while it is 0 the source rests until `resume()`.
    ///   - ended: Called once, when nothing more will come.
    init(
        _ descriptor: Descriptor, loop: EventLoop, room: @escaping () -> Int,
        deliver: @escaping (ArraySlice<UInt8>) -> Void, ended: @escaping () -> Void
    ) {
        self.loop = loop
        self.descriptor = descriptor
        self.room = room
        self.deliver = deliver
        self.ended = ended
        descriptor.makeNonBlocking()
    }

    deinit { rest() }

    var isOpen: Bool { descriptor != nil }
    /// Why reading ended, if it was not the end of what there is: an errno.
    private(set) var error: Int32 = 0

    /// Goes on reading if there is room (again).
    func resume() {
        guard let descriptor, room() > 0 else { return }
        if isLast {
            readLater()
        } else if !isWatched {
            isWatched = true
            do {
                try loop.watch(descriptor, .readable) { [weak self] _ in self?.read() }
            } catch {
                end()
            }
        }
    }

    /// Whoever wrote is gone: reads what is there, and waits for nothing beyond it, even if a descendant of the
    /// writer still holds the other end.
    func finish() {
        isLast = true
        resume()
    }

    /// Stops without a word.
    func close() {
        rest()
        descriptor = nil
    }

    private func rest() {
        guard isWatched, let descriptor else { return }
        // Removed instead of muted: epoll reports a hangup even to those who asked for nothing.
        isWatched = false
        loop.forget(descriptor)
    }

    private func readLater() {
        rest()
        loop.later { [weak self] in self?.read() }
    }

    private func read() {
        guard let descriptor else { return }
        let room = min(room(), Self.chunk)
        guard room > 0 else { return rest() }
        let count = Glibc.read(descriptor.number, &loop.scratch, room)
        let error = errno
        if count > 0 {
            deliver(loop.scratch[..<count])
            if isLast { readLater() }
        } else if count < 0, error == EINTR || (error == EAGAIN && !isLast) {
            return
        } else {
            // A terminal tells its end by EIO.
            self.error = count < 0 && error != EIO && error != EAGAIN ? error : 0
            end()
        }
    }

    private func end() {
        close()
        ended()
    }
}
