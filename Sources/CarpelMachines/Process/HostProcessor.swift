import CarpelCore

/// The processor of this host, as far as a guest that runs on it can tell two apart.
enum HostProcessor {
    /// Its model and its features, in an order of their own.
    static var description: String { describe((try? KernelFile.read("/proc/cpuinfo")) ?? "") }

    static func describe(_ cpuinfo: String) -> String {
        func value(_ name: String) -> Substring {
            let line = cpuinfo.split(separator: "\n").first { $0.hasPrefix(name) } ?? ""
            return line.split(separator: ":", maxSplits: 1).last ?? ""
        }
        let features = value("flags").split(separator: " ").sorted().joined(separator: " ")
        return "\(value("model name").drop { $0 == " " }): \(features)"
    }
}
