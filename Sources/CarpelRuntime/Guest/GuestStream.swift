import CarpelCore
import CarpelGuestProtocol
import NIOCore
import Synchronization

/// The host's end of one stream: the answers to its request, and data in both directions within the credit.
///
/// Whatever is waited for, a response, data or credit, becomes true by a change of `State`; every change wakes all
/// who wait, and they look again.
final class GuestStream: Sendable {
    struct Data: Sendable {
        var channel: UInt8
        var bytes: [UInt8]
    }

    private struct State {
        var responses: [GuestResponse] = []
        var data = CircularBuffer<Data>()
        var sendCredit = SendCredit()
        var receiveCredit = ReceiveCredit()
        /// Set once: nothing more will come.
        var end: Result<Void, any Error>?
        var changes: UInt64 = 0
        var waiters: [UInt64: CheckedContinuation<Void, any Error>] = [:]
        var nextWaiter: UInt64 = 0
    }

    /// `exec` and `connect` have two, everything else one. The last of two stands behind the last data.
    private static let maximumResponses = 2

    let id: UInt32
    private let state = Mutex(State())
    private let transmit: @Sendable (Frame) -> Void

    init(id: UInt32, transmit: @escaping @Sendable (Frame) -> Void) {
        self.id = id
        self.transmit = transmit
    }

    // MARK: What the agent sends, on the connection's event loop

    /// - Throws: `FrameError` if the agent does not keep to the rules.
    func received(_ response: GuestResponse) throws {
        try change { state in
            guard state.responses.count < Self.maximumResponses else { throw FrameError.messageTooLong }
            state.responses.append(response)
        }
    }

    func received(_ frame: Frame) throws {
        try change { state in
            switch frame.kind {
            case .data:
                try state.receiveCredit.receive(frame.payload.count)
                // An empty one costs no credit and would wait in memory all the same.
                guard !frame.payload.isEmpty else { throw FrameError.creditExceeded }
                state.data.append(Data(channel: frame.detail, bytes: frame.payload))
            case .credit:
                guard let bytes = frame.grantedCredit else { throw FrameError.creditExceeded }
                try state.sendCredit.grant(bytes)
            default:
                break
            }
        }
    }

    func finish(_ result: Result<Void, any Error>) {
        change { state in
            if state.end == nil { state.end = result }
        }
    }

    // MARK: What the host wants

    /// The answer number `index`.
    func response(_ index: Int) async throws -> GuestResponse {
        try await when { state in
            if index < state.responses.count { return state.responses[index] }
            guard let end = state.end else { return nil }
            try end.get()
            throw CarpelError(.internal, "guestAnswerMissing", "the agent ended a request without an answer")
        }
    }

    /// The next data, nil behind the last. What is not asked for stays with the agent once the credit is used up.
    func next() async throws -> Data? {
        let (data, credit) = try await when { (state) -> (Data?, Int?)? in
            if let data = state.data.popFirst() { return (data, state.receiveCredit.consume(data.bytes.count)) }
            if state.responses.count == Self.maximumResponses { return (nil, nil) }
            guard let end = state.end else { return nil }
            try end.get()
            return (nil, nil)
        }
        if let credit { transmit(.credit(credit, stream: id)) }
        return data
    }

    /// Sends all of `bytes`, as fast as the agent takes them.
    func send(_ bytes: [UInt8]) async throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let wanted = min(rest.count, Frame.maximumPayload)
            let count = try await when { (state) -> Int? in
                if let end = state.end {
                    try end.get()
                    throw CarpelError(.failedPrecondition, "streamEnded", "the process does not read any more")
                }
                let count = min(wanted, state.sendCredit.available)
                guard count > 0 else { return nil }
                state.sendCredit.spend(count)
                return count
            }
            transmit(Frame(.data, stream: id, payload: Array(rest.prefix(count))))
            rest = rest.dropFirst(count)
        }
    }

    func endInput() { transmit(Frame(.end, stream: id)) }

    /// Gives the stream up. What the agent does for it ends.
    func cancel() {
        let isOpen = change { state in
            guard state.end == nil else { return false }
            state.end = .failure(CancellationError())
            return true
        }
        if isOpen { transmit(Frame(.reset, stream: id)) }
    }

    // MARK: Waiting

    private func change<Value>(_ body: (inout State) throws -> Value) rethrows -> Value {
        let (value, waiters) = try state.withLock { state in
            let value = try body(&state)
            state.changes += 1
            defer { state.waiters = [:] }
            return (value, state.waiters.values)
        }
        for waiter in waiters { waiter.resume() }
        return value
    }

    /// Waits until `ready` gives a value or throws.
    private func when<Value>(_ ready: (inout State) throws -> Value?) async throws -> Value {
        while true {
            let (value, seen, waiter) = try state.withLock { state in
                state.nextWaiter += 1
                return (try ready(&state), state.changes, state.nextWaiter)
            }
            if let value { return value }
            try await waitForChange(since: seen, as: waiter)
        }
    }

    private func waitForChange(since seen: UInt64, as waiter: UInt64) async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isLate = state.withLock { state in
                    guard state.changes == seen, !Task.isCancelled else { return true }
                    state.waiters[waiter] = continuation
                    return false
                }
                if isLate { continuation.resume() }
            }
            try Task.checkCancellation()
        } onCancel: {
            let continuation = state.withLock { $0.waiters.removeValue(forKey: waiter) }
            continuation?.resume(throwing: CancellationError())
        }
    }
}
