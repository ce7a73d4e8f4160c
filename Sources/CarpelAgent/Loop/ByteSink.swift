import CarpelGuestProtocol
import Glibc

/// The writing end of a pipe or terminal: keeps what the reader does not take yet.
final class ByteSink {
    private let loop: EventLoop
    private var descriptor: Descriptor?
    private var isWatched = false
    private var closesWhenEmpty = false
    /// Itself, while it has something to write that nobody else waits for.
    private var keptUntilEmpty: ByteSink?
    private var waiting: [ArraySlice<UInt8>] = []
    /// Told how many bytes have left, also those that nobody reads any more.
    var consumed: (Int) -> Void = { _ in }
    /// Called behind the last byte, for what closing alone does not end.
    var finishing: (Descriptor) -> Void = { _ in }
    /// Called once, when nothing more can be written.
    var closed: () -> Void = {}

    init(_ descriptor: Descriptor, loop: EventLoop) {
        self.loop = loop
        self.descriptor = descriptor
        descriptor.makeNonBlocking()
    }

    deinit {
        if let descriptor, isWatched { loop.forget(descriptor) }
    }

    func write(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        waiting.append(bytes[...])
        flush()
    }

    /// Closes the descriptor behind what has been written.
    func closeWhenEmpty() {
        closesWhenEmpty = true
        keptUntilEmpty = self
        flush()
    }

    func close() {
        let wasOpen = descriptor != nil
        if let descriptor, isWatched { loop.forget(descriptor) }
        isWatched = false
        descriptor = nil
        defer {
            if wasOpen { closed() }
            keptUntilEmpty = nil
        }
        let lost = waiting.reduce(0) { $0 + $1.count }
        waiting = []
        if lost > 0 { consumed(lost) }
    }

    private func flush() {
        guard let descriptor else {
            let lost = waiting.reduce(0) { $0 + $1.count }
            waiting = []
            return consumed(lost)
        }
        while let first = waiting.first {
            let count = first.withUnsafeBytes { Glibc.write(descriptor.number, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                return errno == EAGAIN ? wait(for: descriptor) : close()
            }
            if count == first.count { waiting.removeFirst() } else { waiting[0] = first.dropFirst(count) }
            consumed(count)
        }
        if isWatched { loop.forget(descriptor) }
        isWatched = false
        if closesWhenEmpty {
            finishing(descriptor)
            close()
        }
    }

    private func wait(for descriptor: Descriptor) {
        guard !isWatched else { return }
        isWatched = true
        do {
            try loop.watch(descriptor, .writable) { [weak self] _ in self?.flush() }
        } catch {
            close()
        }
    }
}
