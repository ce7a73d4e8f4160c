import CLinux
import CarpelGuestProtocol
import Glibc

/// Tells about changes of files, those of cgroups above all.
final class FileWatches {
    private let inotify: Descriptor
    private var handlers: [Int32: () -> Void] = [:]

    init(loop: EventLoop) throws(GuestFailure) {
        let flags = Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK)
        inotify = Descriptor(try check(inotify_init1(flags), "inotify_init1"))
        try loop.watch(inotify, .readable) { [unowned self, unowned loop] _ in read(&loop.scratch) }
    }

    /// Calls `changed` until the returned watch is gone.
    func watch(_ path: String, _ changed: @escaping () -> Void) throws(GuestFailure) -> FileWatch {
        let number = inotify_add_watch(inotify.number, path, UInt32(IN_MODIFY))
        try check(number, "watch \(path)")
        handlers[number] = changed
        return FileWatch(number: number, watches: self)
    }

    fileprivate func remove(_ number: Int32) {
        handlers[number] = nil
        inotify_rm_watch(inotify.number, number)
    }

    private func read(_ buffer: inout [UInt8]) {
        var changed: Set<Int32> = []
        while true {
            let count = Glibc.read(inotify.number, &buffer, buffer.count)
            guard count > 0 else { break }
            buffer.withUnsafeBytes { bytes in
                var offset = 0
                while offset + MemoryLayout<inotify_event>.size <= count {
                    let event = bytes.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
                    changed.insert(event.wd)
                    offset += MemoryLayout<inotify_event>.size + Int(event.len)
                }
            }
        }
        for number in changed { handlers[number]?() }
    }
}

final class FileWatch {
    private let number: Int32
    private weak var watches: FileWatches?

    fileprivate init(number: Int32, watches: FileWatches) {
        self.number = number
        self.watches = watches
    }

    deinit { watches?.remove(number) }
}
