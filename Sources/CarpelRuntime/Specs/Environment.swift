/// Environment variables in the order in which they were first set.
struct Environment {
    private(set) var entries: [String] = []
    private var positions: [Substring: Int] = [:]

    /// What a shell finds programs by where neither image nor CRI says it. Source: containerd, WithDefaultPathEnv.
    static let defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    init(_ entries: [String] = []) {
        for entry in entries { set(entry) }
    }

    /// Sets `NAME=value`, over an earlier value of the name. What holds no `=` names no variable and is passed over.
    mutating func set(_ entry: String) {
        guard let equals = entry.firstIndex(of: "="), equals > entry.startIndex else { return }
        let name = entry[..<equals]
        if let position = positions[name] {
            entries[position] = entry
        } else {
            positions[name] = entries.count
            entries.append(entry)
        }
    }
}
