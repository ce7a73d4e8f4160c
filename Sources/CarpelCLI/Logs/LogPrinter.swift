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
        _ = try printExisting(LogFile(path: try await path()))
    }

    /// Prints what is there and what comes, until the container has exited.
    ///
    /// - Returns: the container's last status.
    func follow() async throws -> ContainerStatus {
        let file = LogFile(path: try await path())
        try printExisting(file)
        while true {
            // The status comes first: what is read after it is all that an exited container wrote.
            let status = try await client.containerStatus(containerID)
            while case let lines = try file.nextLines(), !lines.isEmpty { print(lines) }
            if status.state == .CONTAINER_EXITED || status.state == .CONTAINER_UNKNOWN { return status }
            try await Task.sleep(for: .milliseconds(100))
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

    private func printExisting(_ file: LogFile) throws {
        guard let tail else {
            while case let lines = try file.nextLines(), !lines.isEmpty { print(lines) }
            return
        }
        var last = LogTail(limit: tail)
        while case let lines = try file.nextLines(), !lines.isEmpty { last.add(lines) }
        print(last.lines)
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
