import CarpelAPI
import CarpelCore
import Foundation
import Synchronization

/// The calls of one connection that wait for their answers, and the readers of its notifications.
package final class PendingCalls: Sendable {
    package typealias Answer = @Sendable (Result<Data, any Error>) -> Void

    private struct Call {
        let method: String
        let answer: Answer
    }

    private struct Listener: Sendable {
        let name: String
        let receive: @Sendable (Data) -> Void
        let end: @Sendable () -> Void
    }

    private struct State {
        var lastID: Int64 = 0
        var calls: [Int64: Call] = [:]
        var listeners: [Int64: Listener] = [:]
        /// How the connection ended, once it has.
        var ended: Ending?
    }

    private struct Ending {
        let cause: CarpelError?

        func error(for method: String, of peer: Peer) -> CarpelError {
            cause
                ?? CarpelError(
                    .unavailable, "connectionClosed",
                    "\(peer.name) closed the connection before it answered \(method): "
                        + "look at its log, and ask for the state before you repeat the call")
        }
    }

    private let peer: Peer
    private let state = Mutex(State())

    package init(of peer: Peer) { self.peer = peer }

    package func nextID() -> Int64 {
        state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
    }

    /// Hands `answer` the line that answers the call `id`, or why none will come.
    package func wait(for id: Int64, method: String, _ answer: @escaping Answer) {
        let ended = state.withLock { state in
            if state.ended == nil { state.calls[id] = Call(method: method, answer: answer) }
            return state.ended
        }
        if let ended { answer(.failure(ended.error(for: method, of: peer))) }
    }

    package func cancel(_ id: Int64) {
        guard let call = take(id) else { return }
        call.answer(.failure(CarpelError(.cancelled, "cancelled", "\(call.method): cancelled by the caller")))
    }

    package func fail(_ id: Int64, writing error: any Error) {
        guard let call = take(id) else { return }
        let ending = state.withLock { $0.ended } ?? Ending(cause: nil)
        call.answer(.failure(ending.error(for: call.method, of: peer)))
    }

    /// The connection is over; `cause` if it is not the peer's doing.
    func end(_ cause: CarpelError?) {
        let (calls, listeners) = state.withLock { state in
            state.ended = state.ended ?? Ending(cause: cause)
            defer { (state.calls, state.listeners) = ([:], [:]) }
            return (state.calls.values, state.listeners.values)
        }
        for call in calls { call.answer(.failure(Ending(cause: cause).error(for: call.method, of: peer))) }
        for listener in listeners { listener.end() }
    }

    func listen(
        to name: String, receive: @escaping @Sendable (Data) -> Void, end: @escaping @Sendable () -> Void
    ) -> Int64 {
        let key = nextID()
        let ended = state.withLock { state in
            if state.ended == nil { state.listeners[key] = Listener(name: name, receive: receive, end: end) }
            return state.ended != nil
        }
        if ended { end() }
        return key
    }

    func stopListening(_ key: Int64) {
        state.withLock { _ = $0.listeners.removeValue(forKey: key) }
    }

    private func take(_ id: Int64) -> Call? {
        state.withLock { $0.calls.removeValue(forKey: id) }
    }
}

extension PendingCalls {
    /// What tells one kind of message from another.
    private struct Envelope: Decodable {
        var id: JSONRPC.ID?
        var method: String?
        var error: JSONRPC.ErrorObject?
    }

    /// Takes one line from the peer.
    func receive(_ line: Data) {
        guard let envelope = try? JSONDecoder().decode(Envelope.self, from: line) else {
            return end(
                CarpelError(
                    .internal, "unreadableAnswer",
                    "what answers is no JSON-RPC: check that it is \(peer.name)"))
        }
        switch (envelope.id, envelope.method) {
        case (.number(let id), _):
            guard let call = take(id) else { return }
            if let error = envelope.error?.error {
                call.answer(.failure(error))
            } else {
                call.answer(.success(line))
            }
        case (_, let method?):
            notify(method, line)
        default:
            // The peer could not tell which request it refused: whoever waits would wait for ever.
            if let error = envelope.error?.error { failAll(error) }
        }
    }

    private func notify(_ name: String, _ line: Data) {
        let listeners = state.withLock { $0.listeners.values.filter { $0.name == name } }
        for listener in listeners { listener.receive(line) }
    }

    private func failAll(_ error: CarpelError) {
        let calls = state.withLock { state in
            defer { state.calls = [:] }
            return state.calls.values
        }
        for call in calls { call.answer(.failure(error)) }
    }
}
