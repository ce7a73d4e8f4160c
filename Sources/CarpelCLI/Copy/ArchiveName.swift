import CarpelCore

/// Gives what lies in an archive below one name another name.
struct ArchiveName {
    /// The first part of every path of the archive; `.` for those that have none.
    let from: String
    let to: String

    /// - Throws: `CarpelError` if the path leads elsewhere: who sent the archive is not trusted.
    func renamed(_ path: String) throws -> String {
        var parts = path.split(separator: "/").filter { $0 != "." }.map(String.init)
        if from != "." {
            guard parts.first == from else { throw stray(path) }
            parts.removeFirst()
        }
        guard !parts.contains(".."), !path.hasPrefix("/") else { throw stray(path) }
        return ([to] + parts).joined(separator: "/")
    }

    private func stray(_ path: String) -> CarpelError {
        CarpelError(
            .dataLoss, "archivePathInvalid",
            "the archive holds \"\(path)\", which is not below \"\(from)\": nothing of "
                + "it is taken")
    }
}
