import CarpelCore
import CarpelPluginSDK
import Foundation
import Logging

/// Checks that a plugin does what the interface asks for, in a host that is confined like the daemon's.
///
/// The network checks make tap devices in the network namespace of this process: give it one of its own, see
/// ``CheckNamespace``.
public struct ConformanceKit: Sendable {
    /// The names of the checks that are to be done.
    public let names: [String]
    private let launch: HostLaunch
    private let checks: [@Sendable (PluginUnderTest) async -> CheckResult]

    /// - Parameters:
    ///   - folder: the plugin's, with plugin.json and the library.
    ///   - hosting: `folders` does not matter; `stateRoot` is to be empty.
    ///   - filters: names of checks, or parts of names, that are wanted; empty for all.
    ///   - log: gets the lines that the plugin writes.
    /// - Throws: `CarpelError`: what is wrong with the manifest, or `.invalidArgument`/`noSuchCheck`.
    public init(
        folder: String, hosting: PluginHosting, filters: [String] = [], log: @escaping @Sendable (String) -> Void
    ) throws {
        let manifest = try PluginManifest(folder: folder)
        let logger = Logger(label: manifest.name) { _ in LineLog(write: log) }
        launch = HostLaunch(manifest: manifest, hosting: hosting, logger: logger)
        switch manifest.kind {
        case .network: (names, checks) = Self.selected(networkChecks, filters)
        case .storage: (names, checks) = Self.selected(storageChecks, filters)
        }
        guard !checks.isEmpty else {
            let names = manifest.kind == .network ? networkChecks.map(\.name) : storageChecks.map(\.name)
            throw CarpelError(
                .invalidArgument, "noSuchCheck",
                "no check of a \(manifest.kind.rawValue) plugin has \"\(filters.joined(separator: "\" or \""))\" in its name; there are "
                    + names.joined(separator: ", "))
        }
    }

    private static func selected<Subject: CheckSubject>(
        _ checks: [ConformanceCheck<Subject>], _ filters: [String]
    ) -> ([String], [@Sendable (PluginUnderTest) async -> CheckResult]) {
        let names = Set(checks.map(\.name))
        let selected = checks.filter { check in
            filters.isEmpty || filters.contains { names.contains($0) ? check.name == $0 : check.name.contains($0) }
        }
        return (selected.map(\.name), selected.map(runner))
    }

    /// Starts the plugin and checks it. Cancelling leaves the checks out that are not done.
    ///
    /// - Parameter report: gets each result as it comes.
    /// - Returns: the results, in the order of the checks.
    /// - Throws: `CarpelError`: why the plugin does not start.
    public func run(_ report: (CheckResult) -> Void) async throws -> [CheckResult] {
        let plugin = try await PluginUnderTest(launch)
        var results: [CheckResult] = []
        for check in checks where !Task.isCancelled {
            let result = await check(plugin)
            if Task.isCancelled { break }
            report(result)
            results.append(result)
        }
        await plugin.close()
        return results
    }
}

/// What is checked on: it cleans up after each check.
private protocol CheckSubject: Sendable {
    init(_ plugin: PluginUnderTest)
    func clean() async
}

extension NetworkUnderTest: CheckSubject {}
extension StorageUnderTest: CheckSubject {}

private func runner<Subject: CheckSubject>(
    _ check: ConformanceCheck<Subject>
) -> @Sendable (PluginUnderTest) async -> CheckResult {
    { plugin in
        let begin = ContinuousClock.now
        let (outcome, detail) = await outcome(of: check, plugin)
        return CheckResult(
            name: check.name, claim: check.claim, outcome: outcome, detail: detail,
            durationNanoseconds: (ContinuousClock.now - begin).nanoseconds)
    }
}

private func outcome<Subject: CheckSubject>(
    of check: ConformanceCheck<Subject>, _ plugin: PluginUnderTest
) async -> (CheckResult.Outcome, String) {
    do {
        // The check before may have been the plugin's end.
        try await plugin.revive()
        let subject = Subject(plugin)
        let result = await Result { try await check.body(subject) }
        if (try? await plugin.revive()) != nil { await subject.clean() }
        return (.passed, try result.get()?.text ?? "")
    } catch let skipped as CheckSkipped {
        return (.skipped, skipped.reason)
    } catch let failure as CheckFailure {
        return (.failed, failure.text)
    } catch let error as PluginError {
        return (.failed, "the plugin has refused: \(error)")
    } catch {
        return (.failed, "\(error)")
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}

private struct LineLog: LogHandler {
    let write: @Sendable (String) -> Void
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { write("\(event.message)") }
}
