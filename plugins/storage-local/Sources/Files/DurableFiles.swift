import FoundationEssentials
import Glibc

/// The largest file that is read into memory: records are far smaller.
private let maximumRecordBytes = 1 << 20

func readFile(_ path: String) throws -> Data {
    let file = try OpenFile(path, O_RDONLY)
    return Data(try file.read(atMost: maximumRecordBytes, at: 0))
}

/// Makes or overwrites a file that is on disk when this returns, if its folder is synced too.
func writeFile(_ path: String, _ content: Data) throws {
    let file = try OpenFile(path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
    try file.write(content)
    try file.sync()
}

func renameFile(_ path: String, to new: String) throws {
    guard rename(path, new) == 0 else { throw systemError("cannot rename \(path) to \(new)") }
}

/// A file's content, or what a folder lists.
func syncToDisk(_ path: String) throws {
    try OpenFile(path, O_RDONLY).sync()
}

/// The names in a folder, sorted.
func listFolder(_ path: String) throws -> [String] {
    guard let folder = opendir(path) else { throw systemError("cannot list \(path)") }
    defer { closedir(folder) }
    var names: [String] = []
    errno = 0
    while let entry = readdir(folder) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if name != ".", name != ".." { names.append(name) }
        errno = 0
    }
    guard errno == 0 else { throw systemError("cannot list \(path)") }
    return names.sorted()
}

/// nil if there is no such file.
func fileStatus(_ path: String) throws -> stat? {
    var status = stat()
    if lstat(path, &status) == 0 { return status }
    guard errno == ENOENT else { throw systemError("cannot examine \(path)") }
    return nil
}
