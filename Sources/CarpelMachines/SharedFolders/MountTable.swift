import CarpelCore

/// The mounts that this process sees: proc(5), mountinfo.
struct MountTable: Sendable {
    struct Entry: Sendable, Equatable {
        /// As long as it is mounted, no other mount's.
        let id: Int
        let target: String
        /// Whether mounts below it appear in copies of it, such as a virtiofsd's.
        let isShared: Bool
        let isReadOnly: Bool
    }

    /// In the order in which they were mounted: of several at one place the last is what is seen.
    let entries: [Entry]

    init() throws { self.init(try KernelFile.read("/proc/self/mountinfo")) }

    init(_ text: String) {
        entries = text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 6, let id = Int(fields[0]), let end = fields.firstIndex(of: "-") else { return nil }
            return Entry(
                id: id, target: Self.unescaped(fields[4]),
                isShared: fields[6..<end].contains { $0.hasPrefix("shared:") },
                isReadOnly: fields[5].split(separator: ",").contains("ro"))
        }
    }

    func entry(at target: String) -> Entry? { entries.last { $0.target == target } }

    func entries(below folder: String) -> [Entry] {
        let prefix = folder == "/" ? folder : "\(folder)/"
        return entries.filter { $0.target.hasPrefix(prefix) }
    }

    /// Space, tab, line break and backslash are written as three octal digits.
    private static func unescaped(_ text: Substring) -> String {
        [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")].reduce(String(text)) {
            $0.replacing($1.0, with: $1.1)
        }
    }
}
