import CarpelPluginSDK
import FoundationEssentials
import Glibc
import Synchronization

/// Keeps other processes out of the pool while this one works in it.
///
/// Two versions of the plugin may run side by side for a while. They take turns: a process holds the pool's lock
/// from the start of a verb to the end of the last one that runs beside it, and what it knows of the pool holds only
/// until another process has had a turn. The lock is flock(2): it ends with the last process that has inherited it,
/// so that a plugin that was killed still has its turn while a child of it works.
final class PoolTurn: Sendable {
    private struct State {
        var lock: OpenLock?
        var users = 0
    }

    private let path: String
    private let prepare: @Sendable () throws -> Void
    private let load: @Sendable () throws -> Void
    private let state = Mutex(State())
    /// In the lock's file: who had the last turn.
    private let signature = Array(makeIdentifier().utf8)

    /// - Parameters:
    ///   - prepare: makes the folder of the lock.
    ///   - load: called with the lock held, when another process has had it since.
    init(
        lock path: String, prepare: @escaping @Sendable () throws -> Void,
        load: @escaping @Sendable () throws -> Void
    ) {
        self.path = path
        self.prepare = prepare
        self.load = load
    }

    /// - Returns: the lock's descriptor, for children to inherit; valid until `leave`.
    /// - Throws: `CancellationError` while it waits; what `load` throws.
    func enter() async throws -> Int32 {
        while true {
            if let lock = try state.withLock({ try tryToEnter(&$0) }) { return lock }
            // flock(2) that waits could not be cancelled.
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    func leave() {
        state.withLock { state in
            state.users -= 1
            if state.users == 0 { state.lock = nil }
        }
    }

    private func tryToEnter(_ state: inout sending State) throws -> Int32? {
        if let lock = state.lock {
            state.users += 1
            return lock.file.descriptor
        }
        let lock = try OpenLock(path, prepare: prepare)
        guard try lock.take() else { return nil }
        if try lock.file.read(atMost: signature.count, at: 0) != signature {
            try load()
            try lock.file.write(signature)
        }
        let descriptor = lock.file.descriptor
        state = State(lock: lock, users: 1)
        return descriptor
    }
}

private final class OpenLock: Sendable {
    let file: OpenFile

    init(_ path: String, prepare: () throws -> Void) throws {
        // The usual case, in which the folder is there, is one system call.
        if let file = try? OpenFile(path, O_RDWR) {
            self.file = file
        } else {
            try prepare()
            file = try OpenFile(path, O_RDWR | O_CREAT, mode: 0o600)
        }
    }

    /// - Returns: false if another process has it.
    func take() throws -> Bool {
        if flock(file.descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
        guard errno == EWOULDBLOCK else { throw systemError("cannot lock \(file.path)") }
        return false
    }
}
