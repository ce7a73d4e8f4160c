import ArgumentParser
import CarpelAPI
import CarpelClient
import CarpelCore
import Foundation

/// This process's stdin, stdout, stderr and terminal at the end of a byte stream.
struct StreamSession: Sendable {
    enum Ending: Equatable {
        case exited(Int32)
        /// The keys for it were typed.
        case detached
    }

    let stream: ByteStream
    var stdin = false
    var tty = false
    var detachKeys: DetachKeys?

    /// Carries bytes until the stream ends. The terminal is then what it was before.
    func run() async throws -> Ending {
        let terminal = tty && stdin ? RawTerminal() : nil
        defer { terminal?.end() }
        return try await withThrowingTaskGroup(of: Ending?.self) { group in
            group.addTask { try await copyOutput() }
            if stdin { group.addTask { await copyInput() } }
            if tty { group.addTask { await followSize() } }
            defer { group.cancelAll() }
            while let ending = try await group.next() {
                if let ending { return ending }
            }
            throw CarpelError(.internal, "streamEnded", "the stream ended without a word")
        }
    }

    private func copyOutput() async throws -> Ending {
        while let frame = try await stream.read() {
            switch frame.channel {
            case .stdout: await Console.writeWaiting(frame.payload, to: STDOUT_FILENO)
            case .stderr: await Console.writeWaiting(frame.payload, to: STDERR_FILENO)
            case .notice: tell(frame)
            case .data, .status, .resize, .close: break
            }
        }
        return .exited(stream.exitCode ?? 0)
    }

    /// `run`, which SIGINT and SIGTERM end.
    ///
    /// - Throws: `ExitCode` with 128 + the signal.
    func runInterruptibly() async throws -> Ending {
        let (result, signal) = await Interruption.cancelling { try await run() }
        if let signal { throw ExitCode(128 + signal) }
        return try result.get()
    }

    private func tell(_ frame: StreamFrame) {
        guard let notice = try? JSONDecoder().decode(StreamNotice.self, from: Data(frame.payload)) else { return }
        Console.complain("\(notice.missed) pieces of output came too fast and are missing here; `carpel logs` has them")
    }

    /// What cannot be sent any more has no reader: the end of the stream is on its way and says why.
    private func copyInput() async -> Ending? {
        let input = StandardInput()
        var keys = detachKeys
        while let typed = await input.next() {
            let (bytes, isComplete) = keys?.filter(typed) ?? (typed, false)
            guard (try? await stream.write(bytes)) != nil else { return nil }
            if isComplete { return .detached }
        }
        if !Task.isCancelled { try? await stream.closeInput() }
        return nil
    }

    private func followSize() async -> Ending? {
        for await size in Window.sizes {
            guard (try? await stream.resize(size)) != nil else { return nil }
        }
        return nil
    }
}
