import ArgumentParser
import CarpelCore
import CarpelPlugins
import Foundation

struct PluginCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Drives every verb of a plugin, and says what it does wrong.",
        discussion: """
            Runs the plugin in a host that is confined like the daemon's, with an empty state folder, as root. A network \
            plugin gets a network namespace, so that the node's own network stays as it is. No daemon is asked. Exits \
            with 1 if a check failed.

            Examples:
              carpel plugin check mynet/build/mynet
              carpel plugin check --filter restart --log mynet/build/mynet
              carpel plugin check --output json mynet/build/mynet
            """)

    @Argument(help: "The plugin's folder, with plugin.json and the library.", completion: .directory)
    var path: String

    @Option(help: ArgumentHelp("Only the check of this name, or those with it in their names; repeatable."))
    var filter: [String] = []

    @Flag(help: "Print what the plugin writes, on stderr.")
    var log = false

    @Option(help: ArgumentHelp("What the plugin is configured with: JSON.", valueName: "file"), completion: .file())
    var config: String?

    @Option(help: ArgumentHelp("Whom the plugin runs as.", valueName: "name"))
    var user = "carpel-plugin"

    @Option(help: ArgumentHelp("The group that machines run in.", valueName: "name"))
    var group = "carpel-qemu"

    @Option(
        help: ArgumentHelp("The carpel-plugin-host to use; the one beside carpel without it.", valueName: "path"),
        completion: .file())
    var host: String?

    @OptionGroup var list: ListFormat

    func run() async throws {
        guard geteuid() == 0 else {
            throw CarpelError(
                .permissionDenied, "notRoot",
                "only root can check a plugin: it runs as another user, and a network plugin in a namespace of its own")
        }
        let folder = absolutePath(path)
        let manifest = try PluginManifest(folder: folder)
        if manifest.kind == .network { try CheckNamespace.enter() }
        let place = try CheckFolder(copying: folder)
        defer { place.remove() }
        let hosting = PluginHosting(
            folders: [], hostExecutable: try host.map(absolutePath) ?? Self.hostBesideThis(), account: user,
            machineGroup: try Self.groupID(group), stateRoot: place.state,
            configurations: try config.map { [manifest.name: try Self.configuration($0)] } ?? [:])
        let log = log
        let kit = try ConformanceKit(folder: place.plugin, hosting: hosting, filters: filter) { line in
            if log { Console.err("\(manifest.name): \(line)\n") }
        }
        let (outcome, signal) = await Interruption.cancelling { [self] in try await report(kit) }
        if let signal { throw ExitCode(128 + signal) }
        let results = try outcome.get()
        if results.contains(where: { $0.outcome == .failed }) { throw ExitCode(ExitStatus.failure.rawValue) }
    }

    /// A line for each check as soon as it is done, or the whole at the end.
    private func report(_ kit: ConformanceKit) async throws -> [CheckResult] {
        guard list.format == .table else {
            let results = try await kit.run { _ in }
            try list.print(results) { "" }
            return results
        }
        let table = CheckTable(names: kit.names, style: .of(STDOUT_FILENO))
        Console.out(table.title)
        let results = try await kit.run { Console.out(table.row($0)) }
        if !Task.isCancelled { Console.out(table.summary(results)) }
        return results
    }

    private static func configuration(_ path: String) throws -> JSONValue {
        do {
            return try JSONValue(text: try String(contentsOfFile: path, encoding: .utf8))
        } catch {
            throw CarpelError(.invalidArgument, "configurationUnreadable", "\(path): \(error)")
        }
    }

    private static func hostBesideThis() throws -> String {
        let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let host = URL(fileURLWithPath: program).deletingLastPathComponent().appending(path: "carpel-plugin-host").path
        guard FileManager.default.isExecutableFile(atPath: host) else {
            throw CarpelError(
                .notFound, "hostMissing",
                "there is no \(host): install carpel-plugin-host there, or name it with --host")
        }
        return host
    }

    private static func groupID(_ name: String) throws -> UInt32 {
        guard let entry = getgrnam(name) else {
            throw CarpelError(
                .failedPrecondition, "groupMissing",
                "there is no group \(name): run hack/setup, or name one with --group")
        }
        return entry.pointee.gr_gid
    }
}

/// Where a plugin is checked: a copy that the hosts' user can read, wherever the original is, and its state.
private struct CheckFolder {
    private let path: String
    var plugin: String { "\(path)/plugin" }
    var state: String { "\(path)/state" }

    init(copying folder: String) throws {
        path = try makeTemporaryFolder("carpel-check")
        // The hosts' user and the machines' group pass through.
        chmod(path, 0o711)
        try FileManager.default.copyItem(atPath: folder, toPath: plugin)
        chmod(plugin, 0o755)
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
}
