import Foundation

/// A process that a test started, and ends by its pid.
public final class ChildProcess: Sendable {
    private let process: Process
    public let logPath: String

    public init(_ program: String, _ arguments: [String], environment: [String: String]? = nil, log: String) throws {
        process = Process()
        logPath = log
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        if let environment {
            process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        }
        if !FileManager.default.fileExists(atPath: log) { try Data().write(to: URL(fileURLWithPath: log)) }
        let output = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
        try output.seekToEnd()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        try process.run()
    }

    deinit { killIfRunning() }

    public func killIfRunning() { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    public var processID: Int32 { process.processIdentifier }
    public var isRunning: Bool { process.isRunning }
    public var log: String { (try? String(contentsOfFile: logPath, encoding: .utf8)) ?? "" }

    /// Sends the signal and waits for the end.
    public func end(_ signal: Int32 = SIGTERM) async throws {
        kill(process.processIdentifier, signal)
        try await eventually("\(process.executableURL?.lastPathComponent ?? "the process") ends") { [self] in !isRunning
        }
    }
}

/// Runs a command to its end.
///
/// - Throws: `SupportError` with what it wrote if it fails.
@discardableResult
public func shell(_ command: String, _ arguments: String...) async throws -> String {
    try await shell(command, arguments)
}

@discardableResult
public func shell(_ command: String, _ arguments: [String]) async throws -> String {
    try await withCheckedThrowingContinuation { continuation in
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", command, "sh"] + arguments
        let output = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        DispatchQueue.global().async {
            do {
                try process.run()
                let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                process.waitUntilExit()
                guard process.terminationStatus == 0 else { throw SupportError("\(command): \(text)") }
                continuation.resume(returning: text)
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }
}

/// Waits until `condition` holds: for what tells nobody when it happens.
public func eventually(
    _ what: String, within timeout: Duration = .seconds(30), _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + timeout
    while ContinuousClock.now < deadline {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(20))
    }
    throw SupportError("waited \(timeout) in vain until \(what)")
}
