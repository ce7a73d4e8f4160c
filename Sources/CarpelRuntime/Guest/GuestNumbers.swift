import CarpelCore
import CarpelGuestProtocol

// The host stores times and numbers of records in 63 bits. An agent's never need more; a hostile one's must not get
// as far as the arithmetic.

extension GuestResponse {
    /// - Throws: `CarpelError` with `INTERNAL`, reason `guestAnswer`.
    func checkNumbers() throws {
        switch self {
        case .started(_, let time): try check(time)
        case .exited(let status): try check(status.at)
        case .state(let state): for container in state.containers { try container.checkNumbers() }
        case .frozen(let next): for number in next.values { try check(number) }
        case .done, .stats, .volumeUsage, .failed: break
        }
    }
}

extension GuestEvent {
    /// - Throws: as `GuestResponse.checkNumbers()`.
    func checkNumbers() throws {
        switch self {
        case .containerExited(_, let status): try check(status.at)
        case .containerOutOfMemory: break
        }
    }
}

extension OutputRecord {
    /// - Throws: as `GuestResponse.checkNumbers()`.
    func checkNumbers() throws {
        try check(sequence)
        try check(offset ?? 0)
    }
}

extension GuestState.Container {
    fileprivate func checkNumbers() throws {
        try check(nextOutput)
        switch phase {
        case .created: break
        case .running(_, let since): try check(since)
        case .exited(let status, let started):
            try check(status.at)
            try check(started)
        }
    }
}

/// The last is left out, since a record's number is counted on from.
private func check(_ number: UInt64) throws {
    guard number < Int64.max else {
        throw CarpelError(.internal, "guestAnswer", "the agent names a time or number, \(number), that nothing has")
    }
}
