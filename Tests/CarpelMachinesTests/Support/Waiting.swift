import CarpelCore
import Dispatch
import Foundation
import Glibc
import Testing

/// Tells measured times, also out of exit tests, whose output is not shown.
final class Stopwatch {
    private var last = ContinuousClock.now

    /// The time since the last lap; appended to the file that `CARPEL_MEASUREMENTS` names.
    @discardableResult
    func lap(_ what: String) -> Duration {
        let now = ContinuousClock.now
        defer { last = now }
        let took = last.duration(to: now)
        guard let path = ProcessInfo.processInfo.environment["CARPEL_MEASUREMENTS"],
            let file = fopen(path, "a")
        else { return took }
        fputs("\(what): \(took.formatted(.units(allowed: [.milliseconds], fractionalPart: .show(length: 1))))\n", file)
        fclose(file)
        return took
    }
}

/// Expects a `CarpelError` with this reason.
@discardableResult
func expectError(
    _ reason: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async -> CarpelError? {
    let error = await #expect(throws: CarpelError.self, sourceLocation: sourceLocation) { try await body() }
    #expect(error?.reason == reason, "\(error?.message ?? "")", sourceLocation: sourceLocation)
    return error
}

/// Waits until there is a file, in a folder that there is.
func appearance(of path: String) async throws {
    let events = inotify_init1(Int32(IN_CLOEXEC))
    defer { close(events) }
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    let watch = inotify_add_watch(events, folder, UInt32(IN_CREATE | IN_MOVED_TO))
    try #require(watch >= 0)
    let appeared = await withCheckedContinuation { continuation in
        DispatchQueue.global().async { continuation.resume(returning: waits(for: path, events)) }
    }
    try #require(appeared, "\(path) has not appeared")
}

private func waits(for path: String, _ events: Int32) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 4096)
    while !FileManager.default.fileExists(atPath: path) {
        var ready = pollfd(fd: events, events: Int16(POLLIN), revents: 0)
        guard poll(&ready, 1, 30_000) > 0, read(events, &buffer, buffer.count) > 0 else { return false }
    }
    return true
}

/// Asks the guest for its disks until they are as they should be: it sees a disk a little after QEMU has it.
func seen(by agent: AgentConversation, _ condition: ([String]) -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(20)
    var disks = try await agent.disks()
    while !condition(disks), ContinuousClock.now < deadline { disks = try await agent.disks() }
    #expect(condition(disks), "the guest sees \(disks)")
}

/// Whether the process runs; one that has ended and waits for its parent does not.
func isRunning(_ id: Int32) -> Bool {
    guard let line = try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8) else { return false }
    return line.split(separator: ")").last?.split(separator: " ").first != "Z"
}

/// Whether any process has been started with this argument.
func isRunning(argument: String) -> Bool {
    let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return processes.contains { id in
        FileManager.default.contents(atPath: "/proc/\(id)/cmdline")?.split(separator: 0)
            .contains { $0.elementsEqual(argument.utf8) } == true
    }
}
