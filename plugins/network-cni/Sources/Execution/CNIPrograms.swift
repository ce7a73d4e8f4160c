import CarpelCore
import CarpelPluginSDK
import Foundation
import Subprocess

/// The CNI plugins of this machine, and how they are run.
struct CNIPrograms: Sendable {
    /// Bytes of an answer, at most.
    private static let answerLimit = 1 << 20
    /// Bytes of what a plugin wrote to stderr that an error repeats.
    private static let excerptLength = 400

    /// Where they are; the first folder that has one counts.
    let folders: [String]
    let timeoutSeconds: Int
    /// Each plugin runs others in turn, and has a dozen threads: the plugin host may have only so many.
    private let slots = Slots(6)

    init(folders: [String], timeoutSeconds: Int) {
        self.folders = folders
        self.timeoutSeconds = timeoutSeconds
    }

    /// - Throws: ``CNIFailure`` with `.notFound` or `.notExecutable`.
    func path(of plugin: String, for verb: CNIVerb, network: String) throws -> String {
        for folder in folders {
            let path = "\(folder)/\(plugin)"
            var information = stat()
            guard stat(path, &information) == 0 else { continue }
            guard information.st_mode & S_IFMT == S_IFREG, access(path, X_OK) == 0 else {
                throw CNIFailure(
                    plugin: plugin, verb: verb, network: network,
                    cause: .notExecutable("\(path) is not an executable that may be run"))
            }
            return path
        }
        throw CNIFailure(plugin: plugin, verb: verb, network: network, cause: .notFound(folders: folders))
    }

    /// Runs a plugin to its end. Cancelling kills it and what it has started.
    ///
    /// - Parameter record: is written before the plugin learns what to do, so that it can be ended later whatever
    ///   happens to this process.
    /// - Returns: what it wrote to stdout.
    /// - Throws: ``CNIFailure``, `CancellationError`.
    func run(_ call: CNICall, record: RunningProgram? = nil) async throws -> [UInt8] {
        let path = try path(of: call.plugin, for: call.verb, network: call.network)
        let outcome: CNIOutcome
        do {
            outcome = try await slots.take {
                try await withTimeout(call) { try await execute(path, call, record) }
            }
        } catch let error as SubprocessError {
            try Task.checkCancellation()
            throw CNIFailure(call, error, path)
        }
        record?.clear()
        try Task.checkCancellation()
        guard outcome.status == .exited(0) else { throw CNIFailure(call, outcome) }
        return outcome.output
    }

    private func execute(_ path: String, _ call: CNICall, _ record: RunningProgram?) async throws -> CNIOutcome {
        var options = PlatformOptions()
        // A group of its own: plugins start others, and all of them must end.
        options.processGroupID = 0
        options.teardownSequence = [.send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .seconds(1))]
        let input = try JSONEncoder().encode(call.input)
        let result = try await Subprocess.run(
            .path(.init(path)), environment: .inherit.updating(environment(of: call)), platformOptions: options,
            input: .inputWriter, output: .bytes(limit: Self.answerLimit), error: .sequence
        ) { execution in
            try record?.write(execution.processIdentifier.value)
            // One that does not read what it is told answers for itself.
            _ = try? await execution.standardInputWriter.write(Array(input))
            try? await execution.standardInputWriter.finish()
            return try await logged(execution.standardError, of: call)
        }
        let status: CNIOutcome.Status =
            switch result.terminationStatus {
            case .exited(let code): .exited(code)
            case .signaled(let signal): .signalled(signal)
            }
        return CNIOutcome(output: result.standardOutput, status: status, words: result.closureResult)
    }

    private func environment(of call: CNICall) -> [Environment.Key: String?] {
        [
            "CNI_COMMAND": call.verb.rawValue, "CNI_PATH": folders.joined(separator: ":"),
            "CNI_CONTAINERID": call.attachment?.containerID, "CNI_NETNS": call.attachment?.namespace,
            "CNI_IFNAME": call.attachment?.interfaceName, "CNI_ARGS": call.attachment?.arguments,
            // They look for iptables.
            "PATH": getenv("PATH").map { String(cString: $0) } ?? "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
        ]
    }

    /// - Returns: the beginning, for a plugin that fails without an answer.
    private func logged(_ lines: SubprocessOutputSequence, of call: CNICall) async throws -> String {
        var words = ""
        for try await line in lines.strings() {
            let text = line.trimmingCharacters(in: .whitespacesAndNewlines)
            guard !text.isEmpty else { continue }
            log("\(call.plugin) \(call.verb.rawValue): \(text)")
            if words.utf8.count < Self.excerptLength { words += (words.isEmpty ? "" : " ") + text }
        }
        return words
    }

    private func withTimeout(
        _ call: CNICall, _ operation: @escaping @Sendable () async throws -> CNIOutcome
    ) async throws -> CNIOutcome {
        try await withThrowingTaskGroup(of: CNIOutcome?.self) { group in
            group.addTask { try await operation() }
            group.addTask {
                try await Task.sleep(for: .seconds(timeoutSeconds))
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let outcome = first else {
                throw CNIFailure(call, .timedOut(seconds: timeoutSeconds))
            }
            return outcome
        }
    }
}

extension CNIFailure {
    init(_ call: CNICall, _ cause: Cause) {
        self.init(plugin: call.plugin, verb: call.verb, network: call.network, cause: cause)
    }

    fileprivate init(_ call: CNICall, _ error: SubprocessError, _ path: String) {
        switch error.code {
        case .outputLimitExceeded: self.init(call, .unintelligible("its answer has no end"))
        case .executableNotFound, .spawnFailed: self.init(call, .notExecutable("cannot run \(path): \(error)"))
        default: self.init(call, .ended("cannot talk to it: \(error)"))
        }
    }

    /// A plugin that fails says why on stdout.
    fileprivate init(_ call: CNICall, _ outcome: CNIOutcome) {
        if let refusal = try? JSONDecoder().decode(Refusal.self, from: Data(outcome.output)) {
            self.init(
                call, .refused(code: refusal.code, message: refusal.msg ?? "", details: refusal.details ?? ""))
            return
        }
        let end =
            switch outcome.status {
            case .exited(let code): "it exited with \(code)"
            case .signalled(let signal): "signal \(signal) ended it"
            }
        let words = outcome.words.isEmpty ? String(decoding: outcome.output, as: UTF8.self) : outcome.words
        self.init(call, .ended(words.isEmpty ? "\(end) and wrote nothing" : "\(end) and wrote: \(words.prefix(500))"))
    }

    private struct Refusal: Decodable {
        let code: Int
        let msg: String?
        let details: String?
    }
}
