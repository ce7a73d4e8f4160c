import CarpelCore
import Foundation
import Glibc

/// The control group of one host and of all that it starts, in as many hierarchies as it takes.
struct HostControlGroup: Sendable {
    /// Holds those of all hosts, at each hierarchy's root.
    private static let parent = "carpel-plugins"

    private struct Folder: Sendable {
        let path: String
        let isVersion2: Bool
        let controllers: Set<String>
    }

    private let folders: [Folder]
    /// What is not held on this node, and why.
    let missing: [String]

    /// Puts a process into a group of its own. What cannot be had is left out and listed in ``missing``.
    init(for process: Int32, of plugin: String, limits: PluginLimits) {
        var folders: [Folder] = []
        var missing: [String] = []
        for (controller, value) in [("memory", limits.memory.bytes), ("pids", Int64(limits.processes))] {
            do {
                let folder = try Self.make(controller, "\(plugin)-\(process)", reusing: &folders)
                try Self.limit(folder, controller, to: value)
            } catch {
                missing.append("\(controller): \(error)")
            }
        }
        for folder in folders {
            do { try Self.write("\(process)", to: "\(folder.path)/cgroup.procs") } catch { missing.append("\(error)") }
        }
        self.folders = folders
        self.missing = missing
    }

    private static func make(_ controller: String, _ name: String, reusing folders: inout [Folder]) throws -> Folder {
        guard let mount = ControlGroupMount.all().first(where: { $0.controllers.contains(controller) }) else {
            throw Unavailable("no hierarchy of control groups has the controller")
        }
        let path = "\(mount.path)/\(parent)/\(name)"
        if let folder = folders.first(where: { $0.path == path }) {
            if mount.isVersion2 { try delegate(controller, mount) }
            return folder
        }
        try makeFolder("\(mount.path)/\(parent)")
        if mount.isVersion2 { try delegate(controller, mount) }
        do {
            try makeFolder(path)
        } catch {
            // Another daemon has just taken away the parent, which was empty.
            try makeFolder("\(mount.path)/\(parent)")
            try makeFolder(path)
        }
        let folder = Folder(path: path, isVersion2: mount.isVersion2, controllers: mount.controllers)
        folders.append(folder)
        return folder
    }

    /// In version 2 a group has the controllers that its parents pass on.
    private static func delegate(_ controller: String, _ mount: ControlGroupMount) throws {
        for folder in [mount.path, "\(mount.path)/\(parent)"] {
            try write("+\(controller)", to: "\(folder)/cgroup.subtree_control")
        }
    }

    private static func limit(_ folder: Folder, _ controller: String, to value: Int64) throws {
        let file =
            switch (controller, folder.isVersion2) {
            case ("memory", false): "memory.limit_in_bytes"
            case ("memory", true): "memory.max"
            default: "pids.max"
            }
        try write("\(value)", to: "\(folder.path)/\(file)")
    }

    private static func makeFolder(_ path: String) throws {
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw Unavailable(path, errno) }
    }

    private static func write(_ text: String, to path: String) throws {
        let file = open(path, O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { throw Unavailable(path, errno) }
        defer { close(file) }
        guard Glibc.write(file, text, text.utf8.count) == text.utf8.count else { throw Unavailable(path, errno) }
    }

    private struct Unavailable: Error, CustomStringConvertible {
        let description: String

        init(_ description: String) { self.description = description }
        init(_ path: String, _ number: Int32) { description = "\(path): \(String(cString: strerror(number)))" }
    }
}

extension HostControlGroup {
    /// Whether the kernel has killed something of the group because its memory was used up.
    var memoryWasUsedUp: Bool {
        folders.filter { $0.controllers.contains("memory") }.contains { folder in
            let file = folder.isVersion2 ? "memory.events" : "memory.oom_control"
            let text = (try? String(contentsOfFile: "\(folder.path)/\(file)", encoding: .utf8)) ?? ""
            let kills = text.split(separator: "\n").first { $0.hasPrefix("oom_kill ") }?.split(separator: " ").last
            return (kills.flatMap { Int($0) } ?? 0) > 0
        }
    }

    /// Kills what the host has left behind, and takes the group away.
    func remove() async {
        for folder in folders {
            // The kernel takes a moment for what was killed; a group that stays is taken away by the next start.
            for _ in 0..<200 {
                for process in Self.processes(in: folder.path) { kill(process, SIGKILL) }
                if rmdir(folder.path) == 0 || errno == ENOENT { break }
                try? await Task.sleep(for: .milliseconds(5))
            }
            rmdir((folder.path as NSString).deletingLastPathComponent)
        }
    }

    private static func processes(in path: String) -> [pid_t] {
        let text = (try? String(contentsOfFile: "\(path)/cgroup.procs", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { pid_t($0) }
    }

    /// Takes away the groups of hosts that are gone and whose daemon could not do it. Those that hold processes stay.
    static func removeAbandoned() {
        for mount in ControlGroupMount.all() {
            let folder = "\(mount.path)/\(parent)"
            for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
                guard let process = name.split(separator: "-").last.flatMap({ pid_t($0) }), kill(process, 0) != 0 else {
                    continue
                }
                rmdir("\(folder)/\(name)")
            }
            rmdir(folder)
        }
    }
}
