import CLinux
import CarpelGuestProtocol
import Glibc

/// How much containers have written to their roots.
///
/// Only a walk through all of it tells, in a process of its own. One walk is under way at a time; the next one of the
/// same container comes at the earliest when ten seconds have passed, and twenty times as long as the last one took:
/// asking often costs a container with many files a twentieth of a CPU.
final class WritableLayers {
    private struct Measurement {
        var layer: GuestStats.WritableLayer?
        /// On the steady clock.
        var nextAt: UInt64
    }

    /// How long an answer waits for the first measurement of a container.
    private static let patience: UInt64 = 500
    /// What a walk may take. One that takes longer tells nothing, and is not tried again for the longest while.
    private static let longestWalk: UInt64 = 30_000
    private static let interval: UInt64 = 10_000_000_000
    private static let share: UInt64 = 20

    private let loop: EventLoop
    private let processes: ProcessTable
    private var measurements: [String: Measurement] = [:]
    private var queue: [(id: String, path: String)] = []
    private var current: String?
    private var waiting: [(ids: Set<String>, timer: EventLoop.TimerID, done: () -> Void)] = []

    init(loop: EventLoop, processes: ProcessTable) {
        self.loop = loop
        self.processes = processes
    }

    /// What was measured last.
    subscript(id: String) -> GuestStats.WritableLayer? { measurements[id]?.layer }

    /// Measures anew what is due, forgets what is not there any more, and calls `done` at once, or as soon as what has
    /// never been measured has been, but not much later.
    func measure(_ containers: [(id: String, path: String)], _ done: @escaping () -> Void) {
        let present = Set(containers.map(\.id))
        measurements = measurements.filter { present.contains($0.key) }
        queue.removeAll { !present.contains($0.id) }
        let now = Clock.steady
        for container in containers where (measurements[container.id]?.nextAt ?? 0) <= now {
            guard container.id != current, !queue.contains(where: { $0.id == container.id }) else { continue }
            queue.append(container)
        }
        let unknown = present.filter { measurements[$0] == nil }
        guard !unknown.isEmpty else {
            walkNext()
            return done()
        }
        let timer = loop.after(milliseconds: Self.patience) { [unowned self] in
            finish { $0.ids == unknown }
        }
        waiting.append((unknown, timer, done))
        walkNext()
    }

    private func finish(where isDone: ((ids: Set<String>, timer: EventLoop.TimerID, done: () -> Void)) -> Bool) {
        let finished = waiting.filter(isDone)
        waiting.removeAll(where: isDone)
        for wait in finished {
            loop.cancel(wait.timer)
            wait.done()
        }
    }

    private func walkNext() {
        guard current == nil, !queue.isEmpty else { return }
        let (id, path) = queue.removeFirst()
        guard let pipe = try? makePipe() else { return note(id, nil, took: Self.interval) }
        let pid = carpel_spawn_measurer(path, pipe.writing.number, -1)
        guard pid > 0 else { return note(id, nil, took: Self.interval) }
        current = id
        let start = Clock.steady
        let limit = loop.after(milliseconds: Self.longestWalk) { [processes] in
            if processes.holds(pid) { kill(pid, SIGKILL) }
        }
        processes.onExit(of: pid) { [unowned self, reading = pipe.reading] code in
            loop.cancel(limit)
            current = nil
            var tree = carpel_tree()
            let isRead = code == 0 && read(reading.number, &tree, MemoryLayout<carpel_tree>.size) > 0
            let layer = GuestStats.WritableLayer(bytes: tree.bytes, inodes: tree.inodes, time: Clock.now)
            note(id, isRead ? layer : nil, took: Clock.steady - start)
            walkNext()
        }
    }

    private func note(_ id: String, _ layer: GuestStats.WritableLayer?, took: UInt64) {
        let rest = max(Self.interval, took * Self.share)
        measurements[id] = Measurement(layer: layer ?? measurements[id]?.layer, nextAt: Clock.steady + rest)
        finish { $0.ids.allSatisfy { measurements[$0] != nil } }
    }
}
