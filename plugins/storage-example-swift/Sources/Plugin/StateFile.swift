import CarpelPluginSDK
import FoundationEssentials
import Glibc

struct VolumeRecord: Codable {
    /// What the volume was made with: a repetition asks for the same.
    var request: CreateVolumeRequest
    var volume: Volume
    var pods: [String: VolumeAccessMode] = [:]
}

/// All that is known, in a file that is replaced as a whole.
struct StateFile {
    struct Content: Codable {
        /// By id.
        var volumes: [String: VolumeRecord] = [:]
        /// By id.
        var snapshots: [String: Snapshot] = [:]
    }

    private(set) var content = Content()
    private let folder: String

    init(folder: String) throws {
        self.folder = folder
        let path = "\(folder)/state.json"
        guard FileManager.default.fileExists(atPath: path) else { return }
        content = try JSONDecoder().decode(Content.self, from: Data(contentsOf: URL(filePath: path)))
    }

    /// Changes nothing if the change cannot be written.
    mutating func change(_ body: (inout Content) -> Void) throws {
        var changed = content
        body(&changed)
        let new = "\(folder)/state.new"
        try JSONEncoder().encode(changed).write(to: URL(filePath: new))
        try flush(new)
        guard rename(new, "\(folder)/state.json") == 0 else { throw systemError("state.json") }
        try flush(folder)
        content = changed
    }
}

/// Waits until a file or folder is on the disk.
func flush(_ path: String) throws {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    defer { close(file) }
    guard fsync(file) == 0 else { throw systemError(path) }
}

/// What the system call before it has failed with.
func systemError(_ what: String) -> PluginError {
    PluginError(.internal, "fileFailed", "\(what): \(String(cString: strerror(errno)))")
}
