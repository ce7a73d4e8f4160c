import CarpelCore
import Foundation
import Logging
import TestSupport
import Testing

@testable import CarpelPlugins

/// A folder of plugins, and a supervisor of them.
final class TestNode: Sendable {
    let folder: TemporaryFolder
    let log = CollectedLog()
    let hosting: PluginHosting

    init(_ change: (inout PluginHosting) -> Void = { _ in }) throws {
        folder = try TemporaryFolder()
        var hosting = PluginHosting(
            folders: ["\(folder.path)/plugins"], hostExecutable: "\(repository)/.build/debug/carpel-plugin-host",
            machineGroup: 4242, stateRoot: "\(folder.path)/state")
        hosting.limits.grace = .milliseconds(300)
        hosting.limits.backoff = .milliseconds(20)
        change(&hosting)
        self.hosting = hosting
    }

    /// Makes a plugin's folder of the test plugin in C.
    ///
    /// - Parameter defines: what the library is compiled with, such as `NO_SYMBOL` or `VERSION="2"`.
    @discardableResult
    func install(
        _ name: String = "test", defines: [String] = [], manifest members: [String: Any] = [:]
    ) async throws -> String {
        let path = "\(folder.path)/plugins/\(name)"
        let library = try await TestLibraries.shared.library(defines)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        // Renamed over the old one, which a process may have loaded.
        try FileManager.default.copyItem(atPath: library, toPath: "\(path)/new.so")
        guard rename("\(path)/new.so", "\(path)/libTest.so") == 0 else { throw SupportError("cannot install") }
        try write(manifest: members, name: name)
        return path
    }

    func write(manifest members: [String: Any], name: String) throws {
        var manifest: [String: Any] = [
            "name": name, "kind": "network", "version": "1.0.0", "description": "for tests",
            "api": ["minimum": 1, "maximum": 1], "library": "libTest.so",
            "configurationSchema": ["type": "object", "additionalProperties": true],
        ]
        manifest.merge(members) { $1 }
        try JSONSerialization.data(withJSONObject: manifest, options: .prettyPrinted)
            .write(to: URL(fileURLWithPath: "\(folder.path)/plugins/\(name)/plugin.json"))
    }

    func stateFile(_ name: String, of plugin: String = "test") -> String { "\(folder.path)/state/\(plugin)/\(name)" }

    /// Runs `body` with started plugins, and ends their hosts.
    @discardableResult
    func withPlugins<Result>(_ body: (Plugins) async throws -> Result) async throws -> Result {
        let plugins = Plugins(hosting, logger: log.logger)
        await plugins.start()
        let hosts = await plugins.list().compactMap(\.processID)
        do {
            let result = try await body(plugins)
            await plugins.close()
            return result
        } catch {
            Issue.record("\(log.text)")
            await plugins.close()
            for host in hosts { #expect(kill(host, 0) != 0, "the host \(host) is still there") }
            throw error
        }
    }

    /// One plugin that is ready.
    @discardableResult
    func withPlugin<Result>(
        defines: [String] = [], manifest: [String: Any] = [:], _ body: (TestPlugin) async throws -> Result
    ) async throws -> Result {
        try await install(defines: defines, manifest: manifest)
        return try await withPlugins { plugins in
            let status = try #require(await plugins.list().first)
            guard status.state == .ready else { throw SupportError("\(status.state)") }
            return try await body(TestPlugin(plugins: plugins, calls: try await plugins.network("test").plugin))
        }
    }
}

/// The test plugin, called by verbs that no daemon calls.
struct TestPlugin: Sendable {
    let plugins: Plugins
    let calls: any PluginCalling

    var status: PluginStatus {
        get async throws { try #require(await plugins.list().first) }
    }

    /// The result of a verb.
    @discardableResult
    func call(_ verb: String, _ request: String = "{}", timeout: Duration = .seconds(20)) async throws -> JSONValue {
        try await calls.typedCall(verb, JSONValue(text: request), timeout: timeout, use: .none)
    }

    func members(_ verb: String, _ request: String = "{}") async throws -> [String: JSONValue] {
        guard case .object(let members) = try await call(verb, request) else { throw SupportError("no object") }
        return members
    }

    /// The reason of the error that a verb ends with.
    func refusal(_ verb: String, _ request: String = "{}", timeout: Duration = .seconds(20)) async throws -> CarpelError
    {
        try await #require(throws: CarpelError.self) { try await call(verb, request, timeout: timeout) }
    }
}

/// The C plugin in the variants that tests want, each compiled once.
actor TestLibraries {
    static let shared = TestLibraries()

    private var folder: TemporaryFolder?
    private var libraries: [[String]: Task<String, any Error>] = [:]

    func library(_ defines: [String]) async throws -> String {
        if let library = libraries[defines] { return try await library.value }
        let folder = try folder ?? TemporaryFolder()
        self.folder = folder
        atProcessEnd { folder.remove() }
        let path = "\(folder.path)/\(libraries.count).so"
        let task = Task {
            try await compile(
                """
                library=$1 root=$2; shift 2
                clang -std=c11 -shared -fPIC -I"$root/Sources/CCarpelPlugin/include" "$@" \
                    "$root/Tests/TestPlugins/C/plugin.c" -o "$library"
                """, [path, repository] + defines.map { "-D\($0)" })
            return path
        }
        libraries[defines] = task
        return try await task.value
    }
}

private func compile(_ command: String, _ arguments: [String]) async throws {
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", command, "sh"] + arguments
        process.terminationHandler = { process in
            let failed = process.terminationStatus != 0
            continuation.resume(with: failed ? .failure(SupportError("\(command) failed")) : .success(()))
        }
        do { try process.run() } catch { continuation.resume(throwing: error) }
    }
}
