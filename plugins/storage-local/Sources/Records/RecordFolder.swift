import CarpelPluginSDK
import FoundationEssentials
import Glibc

/// A folder with a record and a disk file for each volume or snapshot: `ID.json` beside `ID.raw` or `ID.qcow2`.
struct RecordFolder<Record: StoredRecord>: Sendable {
    let path: String
    /// Where files are made before they get their names.
    let temporary: String

    func disk(of record: Record) -> String { disk(record.id, record.content.format) }
    func disk(_ id: String, _ format: DiskFormat) -> String { "\(path)/\(id).\(format.rawValue)" }

    /// Puts the record in the place of an older one, or of none: a reader finds either, whole.
    ///
    /// It lasts only after `sync`.
    func place(_ record: Record) throws {
        let partial = "\(temporary)/\(record.id).json"
        do {
            try writeFile(partial, try encoder.encode(record))
            try renameFile(partial, to: "\(path)/\(record.id).json")
        } catch {
            unlink(partial)
            throw error
        }
    }

    func remove(_ record: Record) throws {
        guard unlink("\(path)/\(record.id).json") == 0 || errno == ENOENT else {
            throw systemError("cannot remove the record of \(record.id)")
        }
    }

    func sync() throws { try syncToDisk(path) }

    private var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return encoder
    }

    /// Every record, and the names of the files that should hold one and do not.
    func load() throws -> (records: [Record], unreadable: [String]) {
        var records: [Record] = []
        var unreadable: [String] = []
        for name in try listFolder(path) where name.hasSuffix(".json") {
            do {
                let record = try JSONDecoder().decode(Record.self, from: try readFile("\(path)/\(name)"))
                guard record.version == recordVersion else { throw RecordMismatch("its version is \(record.version)") }
                guard "\(record.id).json" == name else { throw RecordMismatch("its id is \(record.id)") }
                records.append(record)
            } catch {
                log("\(path)/\(name) is not a record that can be read: \(error)")
                unreadable.append(name)
            }
        }
        return (records, unreadable)
    }
}

private struct RecordMismatch: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
