import CarpelCore
import CarpelPluginSDK
import Foundation

/// A plugin that is checked, in a host like the daemon's: its calls as they are, without what the daemon would make good.
actor PluginUnderTest {
    /// The group that disks and tap devices must be open to.
    nonisolated let machineGroup: UInt32
    /// For a plugin to end a call that is cancelled or past its deadline.
    private let grace: Duration
    private let launch: HostLaunch
    private var host: HostProcess
    private var isDead = false

    init(_ launch: HostLaunch) async throws {
        self.launch = launch
        machineGroup = launch.hosting.machineGroup
        grace = launch.hosting.limits.grace
        host = try await HostProcess.start(launch)
        watch(host)
    }

    private func watch(_ host: HostProcess) {
        Task {
            _ = await host.end()
            if host === self.host { isDead = true }
        }
    }

    /// The plugin's result.
    ///
    /// - Throws: `PluginError` as the plugin said it; ``CheckFailure`` if what it said is no answer, or if it died.
    func result<Result: Decodable & Sendable>(
        of verb: String, _ request: some Encodable & Sendable, timeout: Duration = .seconds(60)
    ) async throws -> Result {
        try await result(of: verb, .json(try JSONEncoder().encode(request)), timeout: timeout)
    }

    func result<Result: Decodable & Sendable>(
        of verb: String, _ body: CallBody, timeout: Duration = .seconds(60)
    ) async throws -> Result {
        let bytes = try await answer(to: verb, body, timeout)
        do {
            switch try JSONDecoder().decode(PluginAnswer<Result>.self, from: bytes) {
            case .result(let result): return result
            case .error(let error):
                try expect(
                    !error.reason.isEmpty && !error.message.isEmpty, "\(verb): an error without reason or message")
                throw error
            }
        } catch let error as DecodingError {
            throw CheckFailure("\(verb) has answered something else: \(describe(error)): \(excerpt(bytes))")
        }
    }

    /// The error that a call ends with.
    ///
    /// - Throws: ``CheckFailure`` if it does not.
    func error(of verb: String, _ body: CallBody) async throws -> PluginError {
        do {
            let result: JSONValue = try await result(of: verb, body)
            let text = String(decoding: try JSONEncoder().encode(result), as: UTF8.self)
            throw CheckFailure("\(verb) must fail, and has answered the result \(text)")
        } catch let error as PluginError {
            return error
        }
    }

    /// Waits for the plugin's own words, as long as the daemon would let it live.
    private func answer(to verb: String, _ body: CallBody, _ timeout: Duration) async throws -> Data {
        let (host, grace) = (host, grace)
        let call = Task { try await host.callToTheEnd(verb, body, timeout: timeout) }
        let clock = Task {
            try await Task.sleep(for: timeout)
            call.cancel()
            try await Task.sleep(for: grace)
            host.kill(because: "it did not end \(verb) within \(grace) after it was to")
        }
        defer { clock.cancel() }
        do {
            return try await withTaskCancellationHandler {
                try await call.value
            } onCancel: {
                call.cancel()
            }
        } catch let error as CarpelError {
            throw CheckFailure("\(verb): \(error.message)")
        }
    }

    /// Kills the host and waits for its end. Calls then fail.
    func kill() async {
        host.kill(because: "the check was to kill it")
        _ = await host.end()
        isDead = true
    }

    /// Kills the host while it does `body` for many at once: when the first is done, and the next are under way. Then
    /// starts another.
    nonisolated func kill<Item: Sendable, Result>(
        in items: [Item], _ body: @escaping @Sendable (Item) async throws -> Result
    ) async throws {
        let (ends, end) = AsyncStream.makeStream(of: Void.self)
        async let cut: [Void] = atOnce(items) { item in
            _ = try? await body(item)
            end.yield()
        }
        for await _ in ends { break }
        try await Task.sleep(for: .microseconds(UInt64.random(in: 0...3000)))
        await kill()
        _ = try await cut
        try await revive()
    }

    /// Starts a host, unless there is one that lives.
    func revive() async throws {
        guard isDead else { return }
        do {
            host = try await HostProcess.start(launch)
        } catch let error as CarpelError {
            throw CheckFailure("the plugin does not start again: \(error.message)")
        }
        isDead = false
        watch(host)
    }

    func close() async { await host.close() }

    /// Does `body`, in which the host must not die.
    nonisolated func surviving(_ body: () async throws -> Void) async throws {
        try await body()
        try expect(await !isDead, "the plugin's process has died")
    }

    private func excerpt(_ bytes: Data) -> String {
        let text = String(decoding: bytes.prefix(300), as: UTF8.self)
        return bytes.count > 300 ? text + "…" : text
    }
}

/// A name that no other check uses.
func uniqueName(_ word: String) -> String {
    "\(word)-\(String(UInt64.random(in: 0...UInt64.max), radix: 16))"
}

/// A pod's id: 64 hexadecimal digits.
func uniquePodID() -> String {
    (0..<4).map { _ in
        let digits = String(UInt64.random(in: 0...UInt64.max), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
}

/// Does `body`, and hands back the plugin's error that it ends with.
///
/// - Throws: ``CheckFailure`` if it ends well, or with another code than these.
@discardableResult
func refusal<Result>(
    _ codes: PluginError.Code..., of what: String, _ body: () async throws -> Result
) async throws -> PluginError {
    do {
        _ = try await body()
    } catch let error as PluginError {
        let wanted = codes.map(\.rawValue).joined(separator: " or ")
        try expect(
            codes.isEmpty || codes.contains(error.code), "\(what) must be refused with \(wanted), and was with \(error)"
        )
        return error
    }
    throw CheckFailure("\(what) must be refused, and was done")
}

/// Does `body` for each at once.
func atOnce<Item: Sendable, Result: Sendable>(
    _ items: [Item], _ body: @escaping @Sendable (Item) async throws -> Result
) async throws -> [Result] {
    try await withThrowingTaskGroup(of: (Int, Result).self) { group in
        for (index, item) in items.enumerated() { group.addTask { (index, try await body(item)) } }
        var results: [Int: Result] = [:]
        for try await (index, result) in group { results[index] = result }
        return items.indices.compactMap { results[$0] }
    }
}
