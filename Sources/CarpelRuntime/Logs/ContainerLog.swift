import CarpelCore
import CarpelGuestProtocol
import Foundation
import Synchronization

/// A container's log in CRI's format, which can be reopened and rotated while it is written.
///
/// Before a record is written its place is noted in the pod's state, which is as volatile as the machine: however the
/// daemon ends, every record that the agent still has is in the log once, in whatever file.
final class ContainerLog: Sendable {
    private struct State {
        var file: LogFile
        var place: LogPlace
    }

    private let path: String
    private let rotation: LogRotation?
    private let notes: LogNotes
    private let state: Mutex<State>

    /// Opens the log, and takes out of it what a daemon that died had begun to write.
    ///
    /// - Parameters:
    ///   - notes: the file in the pod's state.
    ///   - place: where to go on if the pod's state does not say.
    ///   - rotation: nil where somebody else rotates.
    init(path: String, notes: String, from place: LogPlace, rotation: LogRotation?) throws {
        self.path = path
        self.rotation = rotation
        let notes = try LogNotes(path: notes)
        let place = try notes.read()?.settled(logPath: path) ?? place
        let file = try LogFile(path)
        try notes.write(LogNote(place, in: file))
        self.notes = notes
        state = Mutex(State(file: file, place: place))
    }

    var place: LogPlace { state.withLock { $0.place } }

    /// Appends a record, unless it is there already.
    ///
    /// - Returns: what was lost between the record and the one before it.
    @discardableResult
    func append(_ record: OutputRecord) throws -> LostOutput {
        try state.withLock { state in
            guard record.sequence >= state.place.sequence else { return LostOutput() }
            let text = Self.text(of: record)
            try makeRoom(for: text.count, &state)
            let lost = state.place.lost(before: record)
            let begun = state.place.begin(record)
            try notes.write(LogNote(begun, in: state.file, record: record.bytes.count, text: text.count))
            do {
                try state.file.append(text)
            } catch {
                try notes.write(LogNote(state.place, in: state.file))
                throw error
            }
            state.place = begun.passing(bytes: record.bytes.count)
            return lost
        }
    }

    private func makeRoom(for bytes: Int, _ state: inout State) throws {
        guard let rotation, state.file.length > 0,
            state.file.length + Int64(bytes) > rotation.maximumSize.bytes
        else { return }
        try rotation.rotate(path)
        state.file = try LogFile(path)
    }

    /// Goes on in the file that has the log's path now, or in a new one if none has.
    func reopen() throws {
        try state.withLock { state in
            let file = try LogFile(path)
            try notes.write(LogNote(state.place, in: file))
            state.file = file
        }
    }
}

/// How far a container's output has come into its log.
struct LogPlace: Equatable {
    /// The first record that is not in the log.
    var sequence: UInt64
    /// Bytes of output before it; nil if that is not known.
    var offset: UInt64?
    /// What of the output before it is not in the log.
    var lost: LostOutput

    func passing(bytes: Int) -> LogPlace {
        LogPlace(sequence: sequence + 1, offset: offset.map { $0 + UInt64(bytes) }, lost: lost)
    }

    /// The place behind a record that is in no log, nor what was dropped before it.
    func passing(lost record: OutputRecord) -> LogPlace {
        guard record.sequence >= sequence else { return self }
        var begun = begin(record)
        begun.lost += LostOutput(records: 1, bytes: UInt64(record.bytes.count))
        return begun.passing(bytes: record.bytes.count)
    }

    /// The place of `record`, with what was dropped before it.
    func begin(_ record: OutputRecord) -> LogPlace {
        var begun = self
        begun.sequence = record.sequence
        begun.offset = record.offset ?? offset
        begun.lost += lost(before: record)
        return begun
    }

    /// What the agent dropped between this place and `record`.
    func lost(before record: OutputRecord) -> LostOutput {
        guard record.sequence > sequence else { return LostOutput() }
        let bytes = offset.flatMap { from in record.offset.map { $0 > from ? $0 - from : 0 } }
        return LostOutput(records: record.sequence - sequence, bytes: bytes ?? 0)
    }
}

/// Output that nobody has any more.
struct LostOutput: Equatable {
    var records: UInt64 = 0
    var bytes: UInt64 = 0

    /// The counts are stored in 63 bits, which each of them fits: a hostile agent's sum stays at the most of them.
    static func += (left: inout LostOutput, right: LostOutput) {
        left.records = min(left.records + right.records, UInt64(Int64.max))
        left.bytes = min(left.bytes + right.bytes, UInt64(Int64.max))
    }
}
