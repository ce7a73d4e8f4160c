import CarpelPluginSDK
import Foundation
import Synchronization
import TestSupport

/// The plugin in a process of its own, called over its C interface.
final class Driver: Sendable {
    static let program = "\(repository)/.build/debug/network-cni-driver"

    private let process = Process()
    private let input = Pipe()
    private let answers = Answers()
    private let lastCall = Mutex(0)

    /// - Throws: `PluginError` if the plugin refuses its configuration.
    init(_ command: String, log: String) async throws {
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", "exec \(command) 2>>\(log)"]
        let output = Pipe()
        process.standardInput = input
        process.standardOutput = output
        let answers = answers
        Thread {
            var pending = Data()
            while case let bytes = output.fileHandleForReading.availableData, !bytes.isEmpty {
                pending.append(bytes)
                while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                    answers.take(Data(pending[..<end]))
                    pending = Data(pending[(end + 1)...])
                }
            }
            answers.end()
        }.start()
        try process.run()
        let created = try JSONDecoder().decode(Created.self, from: try await answers.wait(for: 0))
        if let error = created.answer?.error { throw error }
    }

    deinit { if process.isRunning { Glibc.kill(process.processIdentifier, SIGKILL) } }

    /// Ends the process as a crash does.
    func kill() async throws {
        Glibc.kill(process.processIdentifier, SIGKILL)
        try await eventually("the plugin's process ends") { [self] in !process.isRunning }
    }

    func add(_ request: NetworkAddRequest) async throws -> NetworkAttachment { try await call(.add, request) }
    func delete(_ request: NetworkDeleteRequest) async throws {
        let _: NoMembers = try await call(.delete, request)
    }
    func check(_ request: NetworkCheckRequest) async throws {
        let _: NoMembers = try await call(.check, request)
    }
    func collectGarbage(valid: [NetworkDeleteRequest]) async throws -> [NetworkDeleteRequest] {
        let response: NetworkCollectResponse = try await call(
            .collectGarbage, NetworkCollectRequest(valid: valid))
        return response.removed
    }
    func status() async throws {
        let _: NoMembers = try await call(.status, NoMembers())
    }

    /// Cancelling the task cancels the call.
    private func call<Request: Encodable, Result: Decodable & Sendable>(
        _ verb: NetworkVerb, _ request: Request
    ) async throws -> Result {
        let id = lastCall.withLock { last in
            last += 1
            return last
        }
        try send(Call(id: id, verb: verb.rawValue, request: request))
        let answer = try await withTaskCancellationHandler {
            try await answers.wait(for: id)
        } onCancel: {
            try? send(Cancel(cancel: id))
        }
        let content = try JSONDecoder().decode(Message<Result>.self, from: answer).answer
        if let error = content.error { throw error }
        guard let result = content.result else { throw SupportError("neither a result nor an error") }
        return result
    }

    private func send(_ message: some Encodable) throws {
        var line = try JSONEncoder().encode(message)
        line.append(UInt8(ascii: "\n"))
        try input.fileHandleForWriting.write(contentsOf: line)
    }

    private struct Call<Request: Encodable>: Encodable {
        let id: Int
        let verb: String
        let request: Request
    }
    private struct Cancel: Encodable { let cancel: Int }
    private struct Message<Result: Decodable>: Decodable {
        struct Answer: Decodable {
            let result: Result?
            let error: PluginError?
        }
        let answer: Answer
    }
    private struct Created: Decodable {
        struct Answer: Decodable { let error: PluginError? }
        let created: Bool
        let answer: Answer?
    }
}

/// Lines that calls wait for.
private final class Answers: Sendable {
    private struct State {
        var lines: [Int: Data] = [:]
        var waiting: [Int: CheckedContinuation<Data, any Error>] = [:]
        var isEnded = false
    }
    private struct ID: Decodable { let id: Int? }
    private let state = Mutex(State())

    func take(_ line: Data) {
        // The first line has no id.
        let id = (try? JSONDecoder().decode(ID.self, from: line))?.id ?? 0
        state.withLock { state in
            if let waiter = state.waiting.removeValue(forKey: id) {
                waiter.resume(returning: line)
            } else {
                state.lines[id] = line
            }
        }
    }

    func end() {
        state.withLock { state in
            state.isEnded = true
            for waiter in state.waiting.values { waiter.resume(throwing: SupportError("the plugin's process is gone")) }
            state.waiting = [:]
        }
    }

    func wait(for id: Int) async throws -> Data {
        try await withCheckedThrowingContinuation { continuation in
            state.withLock { state in
                if let line = state.lines.removeValue(forKey: id) {
                    continuation.resume(returning: line)
                } else if state.isEnded {
                    continuation.resume(throwing: SupportError("the plugin's process is gone"))
                } else {
                    state.waiting[id] = continuation
                }
            }
        }
    }
}
