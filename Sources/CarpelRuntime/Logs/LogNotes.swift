import CarpelCore
import Foundation

/// What is being written to a log: enough to know, after the daemon's death, whether it has been.
struct LogNote: Equatable {
    var place: LogPlace
    /// Bytes of the record at the place; 0 if none was begun.
    var recordLength: UInt64
    /// Where its text begins in the file, and how long it is.
    var start: UInt64
    var textLength: UInt64
    var file: LogFile.Identity

    init(_ place: LogPlace, in file: LogFile, record: Int = 0, text: Int = 0) {
        self.place = place
        recordLength = UInt64(record)
        start = UInt64(file.length)
        textLength = UInt64(text)
        self.file = file.identity
    }

    /// The place behind the record if all of it is in its file; else the place before it, and none of it is.
    ///
    /// A file that is not to be found was rotated and put away, which takes longer than the writing of a record.
    func settled(logPath: String) throws -> LogPlace {
        guard recordLength > 0 else { return place }
        let whole = place.passing(bytes: Int(recordLength))
        guard let found = LogFile.find(file, writtenTo: logPath) else { return whole }
        let isPart = found.length >= Int64(start) && found.length < Int64(start + textLength)
        guard isPart else { return whole }
        guard truncate(found.path, off_t(start)) == 0 else {
            throw CarpelError.log("shorten", found.path, errno)
        }
        return place
    }
}

/// The file that holds a log's latest note. It has its full length from the beginning: a disk that is full later does
/// no harm.
struct LogNotes {
    private let path: String
    private let descriptor: FileDescriptorBox

    init(path: String) throws {
        self.path = path
        let opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard opened >= 0 else { throw Self.failure("open", path) }
        descriptor = FileDescriptorBox(opened)
    }

    /// nil if nothing has been noted yet.
    func read() throws -> LogNote? {
        var words = [UInt64](repeating: 0, count: LogNote.words)
        let count = words.withUnsafeMutableBytes { pread(descriptor.number, $0.baseAddress, $0.count, 0) }
        guard count >= 0 else { throw Self.failure("read", path) }
        return count == words.count * 8 ? LogNote(words: words) : nil
    }

    func write(_ note: LogNote) throws {
        let count = note.asWords.withUnsafeBytes { pwrite(descriptor.number, $0.baseAddress, $0.count, 0) }
        guard count == LogNote.words * 8 else { throw Self.failure("write", path) }
    }

    private static func failure(_ verb: String, _ path: String) -> CarpelError {
        .log("\(verb) the note on", path, errno)
    }
}

extension LogNote {
    fileprivate static let words = 9

    fileprivate var asWords: [UInt64] {
        [
            place.sequence, place.offset ?? .max, place.lost.records, place.lost.bytes, recordLength, start,
            textLength, file.device, file.inode,
        ]
    }

    fileprivate init(words: [UInt64]) {
        place = LogPlace(
            sequence: words[0], offset: words[1] == .max ? nil : words[1],
            lost: LostOutput(records: words[2], bytes: words[3]))
        (recordLength, start, textLength) = (words[4], words[5], words[6])
        file = LogFile.Identity(device: words[7], inode: words[8])
    }
}
