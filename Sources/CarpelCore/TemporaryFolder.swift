import Foundation

/// Makes a folder in the system's place for temporary files, which nobody else can enter.
///
/// - Parameter name: what its name begins with.
/// - Returns: its path. Whoever calls this removes it.
/// - Throws: `CarpelError` with `.internal`, reason `folderNotMade`.
public func makeTemporaryFolder(_ name: String) throws -> String {
    let parent = FileManager.default.temporaryDirectory.path
    var template = Array("\(parent)/\(name)-XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else {
        throw CarpelError(
            .internal, "folderNotMade",
            "cannot make a folder in \(parent): \(String(cString: strerror(errno))); name another place with TMPDIR")
    }
    return String(cString: made)
}
