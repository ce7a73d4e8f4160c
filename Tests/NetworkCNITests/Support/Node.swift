import CarpelNetlink
import CarpelPluginSDK
import Foundation
import TestSupport
import Testing

/// A host of its own: network and mount namespaces in which the plugin runs, with real CNI plugins, and which are gone
/// with what the test made in them.
final class Node: Sendable {
    let folder: TemporaryFolder
    let namespaces: NamespaceHolder
    /// What the plugin is configured with.
    let configurationFile: String

    /// - Parameter configuration: members beside the folders, such as `"pluginTimeoutSeconds": 1`.
    init(_ conflists: [String: String] = [:], configuration: [String] = []) async throws {
        let folder = try TemporaryFolder()
        self.folder = folder
        for (name, text) in conflists { _ = try folder.file("net.d/\(name)", text.at(folder)) }
        _ = try folder.file("bin/README", "The tests' own CNI plugins.")
        _ = try folder.file("state/README", "")
        _ = try folder.file("addresses/README", "")
        let members =
            [
                #""configurationFolder": "\#(folder.path)/net.d""#,
                #""binaryFolders": ["\#(folder.path)/bin", "/usr/lib/cni"]"#,
            ] + configuration.map { $0.at(folder) }
        configurationFile = try folder.file("configuration.json", "{\(members.joined(separator: ", "))}")
        namespaces = try await NamespaceHolder(
            "--net --mount --propagation private", log: "\(folder.path)/node.log", prepare: "ip link set lo up")
    }

    var stateFolder: String { "\(folder.path)/state" }

    /// Starts the plugin. It ends with the object that is returned.
    ///
    /// - Parameter confinement: a command that runs the rest of its line with fewer privileges.
    func start(confinement: String = "", group: UInt32 = 0) async throws -> Driver {
        try await Driver(
            "nsenter --target \(namespaces.processID) --net --mount \(confinement) "
                + "\(Driver.program) \(stateFolder) \(configurationFile) \(group)", log: "\(folder.path)/plugin.log")
    }

    /// Runs a command on this host.
    @discardableResult
    func run(_ command: String) async throws -> String { try await namespaces.run(command.at(folder)) }

    /// A CNI plugin that is a shell script: for what Debian's never do.
    func install(_ name: String, _ script: String) throws {
        let path = try folder.file("bin/\(name)", "#!/bin/bash\n" + script.at(folder))
        guard chmod(path, 0o755) == 0 else { throw SupportError("cannot make \(path) executable") }
    }

    /// Takes the pods' namespaces and rules away, as a reboot does.
    func loseNamespaces() async throws {
        try await run("umount \(stateFolder)/namespaces/* && nft flush ruleset")
        // The kernel takes them apart in its own time.
        try await eventually("the namespaces' interfaces are gone") {
            try await !run("ip -o link 2>/dev/null").contains(": veth")
        }
    }

    /// What is on this host and must be gone after DEL: links, namespaces, rules of pods, addresses, records.
    ///
    /// - Parameter ignoringRules: Debian's bridge finds its masquerading by the addresses in the namespace, and leaves
    ///   it where those have been lost.
    func leftovers(ignoringRules: Bool = false) async throws -> [String] {
        let links = try await run(
            "ip -o link 2>/dev/null | awk '{print $2}' | grep -vE '^(lo|cni0|outside)[:@]' || true")
        let mounts = try await run("grep '\(folder.path).* nsfs ' /proc/self/mountinfo || true")
        let rules = try await run(
            "nft list ruleset 2>/dev/null | grep -E '10\\.22\\.|fd00:22:|CNI-[0-9a-f]{8}|CNI-DN-' || true")
        let files = try await run(
            "find \(stateFolder) @/addresses -type f ! -name README ! -name 'last_reserved*' ! -name lock || true")
        return (links + mounts + (ignoringRules ? "" : rules) + files).split(separator: "\n").map(String.init)
    }
}

/// Expects that nothing of any pod is on the node.
func expectNothingLeft(on node: Node, sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let leftovers = try await node.leftovers()
    #expect(leftovers == [], sourceLocation: sourceLocation)
}

/// Whether a process is there and has not ended.
func isRunning(_ processID: String) -> Bool {
    let path = "/proc/\(processID.trimmingCharacters(in: .whitespacesAndNewlines))/stat"
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return false }
    return !text.contains(") Z ")
}

/// A process that holds namespaces open, for others to enter.
final class NamespaceHolder: Sendable {
    private let process: ChildProcess

    /// - Parameters:
    ///   - options: of unshare(1).
    ///   - prepare: a command to run inside first.
    init(_ options: String, log: String, prepare: String = "true") async throws {
        let path = "\(log).\(UUID().uuidString.prefix(8))"
        process = try ChildProcess(
            "/bin/sh",
            ["-c", "exec unshare \(options) sh -c '\(prepare) && echo ready && exec sleep infinity'"], log: path)
        let held = process
        try await eventually("namespaces are there") { held.log.contains("ready") }
    }

    var processID: Int32 { process.processID }
    var network: NetworkNamespace { NetworkNamespace(path: "/proc/\(processID)/ns/net") }

    @discardableResult
    func run(_ command: String) async throws -> String {
        try await shell("nsenter --target \(processID) --net --mount sh -c \"$1\"", command)
    }
}

extension String {
    /// With `@` for the node's folder.
    fileprivate func at(_ folder: TemporaryFolder) -> String {
        replacing("@/", with: "\(folder.path)/")
    }
}
