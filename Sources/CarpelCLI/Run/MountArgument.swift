import CarpelCore

/// What `--volume`, `--tmpfs` and `--mount` ask for.
struct MountArgument: Equatable {
    enum Source: Equatable {
        /// A file or folder of the node.
        case path(String)
        /// A volume of a storage plugin.
        case volume(String)
        /// Memory of the pod; nil: half of it.
        case memory(size: ByteCount?)
    }

    let source: Source
    /// Where the container finds it.
    let target: String
    let readOnly: Bool

    /// `SOURCE:TARGET[:ro]`; a source that begins with `/` or `.` is a path, another one the name of a volume.
    ///
    /// - Throws: `CarpelError` with `.invalidArgument`.
    init(volume text: String) throws {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard 2...3 ~= parts.count, !parts[0].isEmpty, parts[1].hasPrefix("/"),
            parts.count == 2 || ["ro", "rw"].contains(parts[2])
        else { throw invalid("--volume", text, "source:/target[:ro], the source a path or the name of a volume") }
        let isPath = parts[0].hasPrefix("/") || parts[0].hasPrefix(".")
        source = isPath ? .path(absolutePath(parts[0])) : .volume(parts[0])
        target = parts[1]
        readOnly = parts.count == 3 && parts[2] == "ro"
    }

    /// `TARGET[:size=QUANTITY]`.
    ///
    /// - Throws: `CarpelError` with `.invalidArgument`.
    init(tmpfs text: String) throws {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let settings = parts.count == 2 ? Self.settings(parts[1]) : [:]
        guard parts[0].hasPrefix("/"), settings.keys.allSatisfy({ $0 == "size" }), parts.count == 1 || !settings.isEmpty
        else { throw invalid("--tmpfs", text, "/target[:size=64Mi]") }
        source = .memory(size: try Self.size(settings["size"], of: text, option: "--tmpfs"))
        target = parts[0]
        readOnly = false
    }

    /// `type=bind|volume|tmpfs,source=…,target=…[,readonly][,size=…]`.
    ///
    /// - Throws: `CarpelError` with `.invalidArgument`.
    init(mount text: String) throws {
        var settings = Self.settings(text)
        let readOnly = ["readonly", "ro"].compactMap { settings.removeValue(forKey: $0) }
        let from = ["source", "src"].compactMap { settings.removeValue(forKey: $0) }
        let to = ["target", "destination", "dst"].compactMap { settings.removeValue(forKey: $0) }
        let type = settings.removeValue(forKey: "type") ?? "volume"
        let size = settings.removeValue(forKey: "size")
        guard settings.isEmpty, to.count == 1, to[0].hasPrefix("/"), from.count == (type == "tmpfs" ? 0 : 1),
            size == nil || type == "tmpfs", readOnly.allSatisfy({ ["", "true", "false", "1", "0"].contains($0) })
        else {
            throw invalid(
                "--mount", text, "type=bind|volume|tmpfs,source=PATH-OR-NAME,target=/PATH[,readonly][,size=64Mi]")
        }
        switch type {
        case "bind": source = .path(absolutePath(from[0]))
        case "volume": source = .volume(from[0])
        case "tmpfs": source = .memory(size: try Self.size(size, of: text, option: "--mount"))
        default: throw invalid("--mount", text, "a type of bind, volume or tmpfs")
        }
        target = to[0]
        self.readOnly = readOnly.contains { ["", "true", "1"].contains($0) }
    }

    /// `a=b,c` as a's value b and c's value "".
    private static func settings(_ text: String) -> [String: String] {
        text.split(separator: ",").reduce(into: [:]) { settings, setting in
            let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            settings[String(parts[0])] = parts.count == 2 ? String(parts[1]) : ""
        }
    }

    private static func size(_ quantity: String?, of text: String, option: String) throws -> ByteCount? {
        guard let quantity else { return nil }
        guard let size = ByteCount(quantity: quantity), size.bytes > 0 else {
            throw invalid(option, text, "a size such as 64Mi")
        }
        return size
    }
}
