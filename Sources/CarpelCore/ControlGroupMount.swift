import Foundation

/// Where the kernel shows a hierarchy of control groups. Source: cgroups(7), proc(5).
package struct ControlGroupMount: Sendable, Equatable {
    package let path: String
    /// Version 1 has hierarchies for a controller or a few, version 2 one for all that are no version 1's.
    package let isVersion2: Bool
    /// `memory`, `pids` and so on.
    package let controllers: Set<String>

    /// Those of this process's mount namespace.
    package static func all() -> [ControlGroupMount] {
        let text = (try? KernelFile.read("/proc/self/mountinfo")) ?? ""
        return text.split(separator: "\n").compactMap { ControlGroupMount(mountInfo: $0) }
    }

    /// nil for mounts of other file systems.
    private init?(mountInfo line: Substring) {
        let halves = line.components(separatedBy: " - ")
        guard halves.count == 2, let path = halves[0].split(separator: " ").dropFirst(4).first else { return nil }
        let fields = halves[1].split(separator: " ")
        switch fields.first {
        case "cgroup":
            isVersion2 = false
            controllers = Set((fields.last ?? "").split(separator: ",").map(String.init))
        case "cgroup2":
            isVersion2 = true
            let names = (try? String(contentsOfFile: "\(path)/cgroup.controllers", encoding: .utf8)) ?? ""
            controllers = Set(names.split(whereSeparator: \.isWhitespace).map(String.init))
        default:
            return nil
        }
        self.path = String(path)
    }
}
