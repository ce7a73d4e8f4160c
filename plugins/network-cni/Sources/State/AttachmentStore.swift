import CarpelPluginSDK
import Foundation

/// The attachments' records and namespaces, in the plugin's state folder.
struct AttachmentStore: Sendable {
    private let records: String
    private let namespaces: String
    private let programs: String

    /// - Throws: `PluginError` if the folders cannot be made.
    init(stateFolder: String) throws {
        records = "\(stateFolder)/attachments"
        namespaces = "\(stateFolder)/namespaces"
        programs = "\(stateFolder)/running"
        for folder in [records, namespaces, programs] {
            guard mkdir(folder, 0o700) == 0 || errno == EEXIST else {
                throw PluginError(
                    .failedPrecondition, "stateFolderUnusable",
                    "cannot make \(folder): \(String(cString: strerror(errno)))")
            }
        }
    }

    func namespacePath(of key: AttachmentKey) -> String { "\(namespaces)/\(key.fileName)" }

    func runningProgram(of key: AttachmentKey) -> RunningProgram {
        RunningProgram(path: "\(programs)/\(key.fileName).json")
    }

    /// - Returns: nil if there is none.
    /// - Throws: `PluginError` with `.dataLoss` if it cannot be read: it is left where it is.
    func read(_ key: AttachmentKey) throws -> AttachmentRecord? {
        let path = path(of: key)
        guard access(path, F_OK) == 0 else { return nil }
        do {
            return try JSONDecoder().decode(AttachmentRecord.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            throw PluginError(
                .dataLoss, "recordUnreadable",
                "cannot read \(path), which says what was made for the pod: \(error). "
                    + "Repair it, or move it away and take off by hand what it names")
        }
    }

    /// Every attachment there is.
    ///
    /// - Throws: `PluginError` with `.dataLoss` if any record cannot be read.
    func all() throws -> [(key: AttachmentKey, record: AttachmentRecord)] {
        try keys().compactMap { key in try read(key).map { (key, $0) } }
    }

    /// Those whose records can be read.
    func readable() throws -> [(key: AttachmentKey, record: AttachmentRecord)] {
        try keys().compactMap { key in (try? read(key)).map { (key, $0) } }
    }

    private func keys() throws -> [AttachmentKey] {
        try FileManager.default.contentsOfDirectory(atPath: records).sorted().compactMap { name in
            guard name.hasSuffix(".json"), let separator = name.firstIndex(of: "@") else { return nil }
            let interfaceName = name[name.index(after: separator)...].dropLast(".json".count)
            return try AttachmentKey(podID: String(name[..<separator]), interfaceName: String(interfaceName))
        }
    }

    /// On the disk when it returns.
    func write(_ record: AttachmentRecord, _ key: AttachmentKey) throws {
        let path = path(of: key)
        let partial = "\(path).partial"
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let bytes = try encoder.encode(record)
        do {
            let file = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
            guard file >= 0 else { throw Self.failure("write", partial) }
            defer { close(file) }
            try FileHandle(fileDescriptor: file, closeOnDealloc: false).write(contentsOf: bytes)
            guard fsync(file) == 0, rename(partial, path) == 0 else { throw Self.failure("keep", path) }
            try synchronizeFolder()
        } catch {
            unlink(partial)
            throw error
        }
    }

    func remove(_ key: AttachmentKey) throws {
        guard unlink(path(of: key)) == 0 || errno == ENOENT else { throw Self.failure("remove", path(of: key)) }
        try synchronizeFolder()
    }

    private func path(of key: AttachmentKey) -> String { "\(records)/\(key.fileName).json" }

    private func synchronizeFolder() throws {
        let folder = open(records, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw Self.failure("open", records) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw Self.failure("keep", records) }
    }

    private static func failure(_ what: String, _ path: String) -> PluginError {
        let code: PluginError.Code = errno == ENOSPC || errno == EDQUOT ? .resourceExhausted : .internal
        return PluginError(code, "recordNotWritten", "cannot \(what) \(path): \(String(cString: strerror(errno)))")
    }
}
