import CarpelGuestProtocol
import Glibc

/// The reading end of a pipe or terminal. Reads only what somebody has room for, so that the writer waits otherwise.
final class ByteSource {
    /// At most this many bytes are delivered at once: with what a frame or a record adds, the most that the port's
    /// driver takes in one piece.
    static let chunk = 31 << 10
    /// What programs write at once when they have much to write.
    private static let piece = 4 << 10
    /// So many pieces, one after the other, are told from an answer that somebody waits for.
    private static let patience = 8
    /// Milliseconds in which pieces gather.
    private static let pause: UInt64 = 1

    private let loop: EventLoop
    private var descriptor: Descriptor?
    private var isWatched = false
    private var isLast = false
    private var isPausing = false
    private var pieces = 0
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
        } else if !isWatched, !isPausing {
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
            if isLast {
                readLater()
            } else if comesInPieces(count, of: room) {
                pause()
            }
        } else if count < 0, error == EINTR || (error == EAGAIN && !isLast) {
            return
        } else {
            // A terminal tells its end by EIO.
            self.error = count < 0 && error != EIO && error != EAGAIN ? error : 0
            end()
        }
    }

    private func comesInPieces(_ count: Int, of room: Int) -> Bool {
        guard count < room else { return false }
        pieces = count < Self.piece ? 0 : pieces + 1
        return pieces > Self.patience
    }

    /// Waking up for every piece, and carrying each by itself, costs more than the bytes do.
    private func pause() {
        rest()
        isPausing = true
        loop.after(milliseconds: Self.pause) { [weak self] in
            self?.isPausing = false
            self?.resume()
        }
    }

    private func end() {
        close()
        ended()
    }
}
