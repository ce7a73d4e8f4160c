import ArgumentParser
import CarpelAPI
import CarpelClient
import CarpelCore
import Foundation

struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Makes a pod of a checkpoint and prints its id.",
        discussion: """
            The new pod has addresses, random numbers and a clock of its own; its containers go on where they were \
            saved, once they are started. The images must be on this node. A checkpoint can be restored any number of \
            times; published ports can be those of one pod only.

            Examples:
              carpel restore --name web-2 --start /var/tmp/web-1
              carpel restore /var/tmp/web-1
            """)

    @Option(help: ArgumentHelp("The new pod's name; the saved pod's without it.", valueName: "name"))
    var name: String?

    @Flag(help: "Start the containers too.")
    var start = false

    @Option(help: ArgumentHelp("Give up after so many seconds.", valueName: "seconds"))
    var timeout: Int?

    @Argument(help: "The checkpoint's folder.", completion: .directory)
    var folder: String

    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        let path = URL(fileURLWithPath: folder).path
        let saved = try SavedPod(in: path)
        let client = try await daemon.connect()
        let request = saved.restoreRequest(from: path, name: name, timeout: timeout)
        if Console.isTerminal(STDERR_FILENO) { Console.err("Restoring \(saved.pod.metadata?.name ?? "")\n") }
        let (result, signal) = await Interruption.cancelling { try await client.call(Methods.restorePod, request) }
        if let signal {
            await client.close()
            throw ExitCode(128 + signal)
        }
        let restored = try result.get()
        if start {
            for container in restored.restoredContainers {
                _ = try await client.call(
                    Methods.startContainer, StartContainerRequest { $0.containerId = container.containerId })
            }
        }
        Console.out(restored.podSandboxId + "\n")
    }
}
