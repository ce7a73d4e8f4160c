/// `ID.raw`, `ID.qcow2`, `ID.json`: the mark by which the plugin knows its own files. It removes no others.
struct DiskFileName: Hashable {
    let id: String
    let suffix: String

    /// nil for a file that is not the plugin's.
    init?(_ name: String) {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, isIdentifier(parts[0]) else { return nil }
        (id, suffix) = (String(parts[0]), String(parts[1]))
    }

    /// nil for a record.
    var format: DiskFormat? { DiskFormat(rawValue: suffix) }
}
