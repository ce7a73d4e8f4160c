import Dispatch
import Foundation

/// Tells when a log may have grown or may have been rotated.
final class LogChanges {
    /// Where files cannot be watched, since the node has no watches left or the folder is not there yet.
    private static let interval = DispatchTimeInterval.milliseconds(200)

    /// Ticks, of which unread ones are one.
    let ticks: AsyncStream<Void>
    /// Ends the ticks.
    let finish: @Sendable () -> Void
    private let source: any DispatchSourceProtocol

    init(path: String) {
        let (ticks, sink) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        self.ticks = ticks
        finish = { sink.finish() }
        source = Self.watchingSource(path, sink) ?? Self.timerSource(sink)
        source.activate()
        sink.yield()
    }

    deinit { source.cancel() }

    private static func watchingSource(
        _ path: String, _ sink: AsyncStream<Void>.Continuation
    ) -> (any DispatchSourceProtocol)? {
        let inotify = inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK))
        guard inotify >= 0 else { return nil }
        let folder = (path as NSString).deletingLastPathComponent
        guard inotify_add_watch(inotify, folder, UInt32(IN_CREATE | IN_MOVED_TO)) >= 0 else {
            close(inotify)
            return nil
        }
        // The file that has the log's name; watching it again changes nothing.
        let watchFile: @Sendable () -> Void = { _ = inotify_add_watch(inotify, path, UInt32(IN_MODIFY)) }
        watchFile()
        let source = DispatchSource.makeReadSource(fileDescriptor: inotify)
        source.setEventHandler {
            var buffer = [UInt8](repeating: 0, count: 4096)
            while read(inotify, &buffer, buffer.count) > 0 {}
            watchFile()
            sink.yield()
        }
        source.setCancelHandler { close(inotify) }
        return source
    }

    private static func timerSource(_ sink: AsyncStream<Void>.Continuation) -> any DispatchSourceProtocol {
        let source = DispatchSource.makeTimerSource()
        source.schedule(deadline: .now() + interval, repeating: interval)
        source.setEventHandler { sink.yield() }
        return source
    }
}
