import ArgumentParser
import CarpelAPI
import CarpelClient
import CarpelCore
import Foundation

struct CheckpointCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkpoint",
        abstract: "Saves a pod with all that its containers are doing.",
        discussion: """
            The folder is made if it is not there, and must be empty. Memory, disks and devices are saved while the \
            pod stands still, and then it goes on. Whoever can read the folder can read all that is in the pod's \
            memory. Pods with files of the node or with volumes of plugins cannot be saved.

            Examples:
              carpel checkpoint web /var/tmp/web-1
              carpel checkpoint --timeout 60 web /var/tmp/web-1
            """)

    @Option(help: ArgumentHelp("Give up after so many seconds.", valueName: "seconds"))
    var timeout: Int?

    @Flag(name: .shortAndLong, help: "Print no progress.")
    var quiet = false

    @Argument(help: ArgumentHelp("A pod.", valueName: "name-or-id"), completion: .pod)
    var pod: String

    @Argument(help: "The folder to save it in.", completion: .directory)
    var folder: String

    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        let client = try await daemon.connect()
        let inventory = try await Inventory.load(from: client)
        let found = try inventory.pod(pod)
        let path = URL(fileURLWithPath: folder).path
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let request = CheckpointPodRequest {
            $0.podSandboxId = found.id
            $0.outputPath = path
            $0.containerIds = inventory.containers(of: found).filter { $0.state == .CONTAINER_RUNNING }.map(\.id)
            if let timeout { $0.options = ["timeoutSeconds": "\(timeout)"] }
        }
        let progress = FolderProgress(path: path, quiet: quiet)
        let (result, signal) = await Interruption.cancelling {
            try await progress.whileRunning { try await client.call(Methods.checkpointPod, request) }
        }
        if let signal {
            // The daemon sees that the connection ends, and lets the pod go on.
            await client.close()
            throw ExitCode(128 + signal)
        }
        _ = try result.get()
        if !quiet, let saved = try? SavedPod(in: path) { Console.err(saved.summary + "\n") }
        Console.out(path + "\n")
    }
}

/// Shows on stderr how much a folder holds while it fills.
struct FolderProgress: Sendable {
    let path: String
    let quiet: Bool

    func whileRunning<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        guard !quiet, Console.isTerminal(STDERR_FILENO) else { return try await body() }
        let display = Task {
            while !Task.isCancelled {
                Console.err("\r\u{1B}[2KSaved \(HumanText.size(size))")
                try? await Task.sleep(for: .milliseconds(200))
            }
        }
        defer {
            display.cancel()
            Console.err("\r\u{1B}[2K")
        }
        return try await body()
    }

    /// What its files take on the disk.
    private var size: UInt64 {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.reduce(0) { sum, name in
            var status = stat()
            return lstat("\(path)/\(name)", &status) == 0 ? sum + UInt64(status.st_blocks) * 512 : sum
        }
    }
}
