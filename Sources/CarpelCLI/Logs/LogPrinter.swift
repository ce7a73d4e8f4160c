import CarpelAPI
import CarpelClient
import CarpelCore
import Foundation

/// Prints a container's log: its stdout on stdout, its stderr on stderr.
struct LogPrinter {
    let client: CarpelClient
    let containerID: String
    var selection = LogSelection()
    /// How many of the lines that are already there to print; nil for all.
    var tail: Int?

    /// Prints what is there.
    func printAll() async throws {
        try printAll(of: try await path())
    }

    /// Prints what is in the file at `path`.
    func printAll(of path: String) throws {
        let file = LogFile(path: path)
        if let tail { try file.skipToTail(tail) }
        try printNext(file)
    }

    /// Prints what is there and what comes, until the container has exited.
    ///
    /// - Returns: the container's last status.
    func follow() async throws -> ContainerStatus {
        let path = try await path()
        let file = LogFile(path: path)
        if let tail { try file.skipToTail(tail) }
        let changes = LogChanges(path: path)
        let exit = Task { [finish = changes.finish] in
            defer { finish() }
            return try await client.exit(of: containerID)
        }
        defer { exit.cancel() }
        return try await withTaskCancellationHandler {
            for await _ in changes.ticks { try printNext(file) }
            let status = try await exit.value
            // The log of a container that is seen to have exited is complete.
            try printNext(file)
            return status
        } onCancel: {
            exit.cancel()
        }
    }

    private func path() async throws -> String {
        let path = try await client.containerStatus(containerID).logPath
        guard !path.isEmpty else {
            throw CarpelError(
                .failedPrecondition, "noLog", "the container keeps no log: it was created without a log path")
        }
        return path
    }

    private func printNext(_ file: LogFile) throws {
        while case let lines = try file.nextLines(), !lines.isEmpty { print(lines) }
    }

    private func print(_ lines: [ArraySlice<UInt8>]) {
        for line in lines {
            guard let (bytes, stream) = selection.rendering(line) else { continue }
            Console.write(bytes, to: stream == .stdout ? STDOUT_FILENO : STDERR_FILENO)
        }
    }
}

extension CarpelClient {
    func containerStatus(_ id: String) async throws -> ContainerStatus {
        let response = try await call(Methods.containerStatus, ContainerStatusRequest { $0.containerId = id })
        guard let status = response.status else {
            throw CarpelError(.notFound, "containerNotFound", "there is no container \(HumanText.shortID(id)) any more")
        }
        return status
    }
}
