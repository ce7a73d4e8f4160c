import ArgumentParser
import CarpelAPI
import CarpelClient
import CarpelCore

struct DebugDomainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "domain",
        abstract: "Prints a pod's machine as libvirt describes it.",
        discussion: """
            The XML of libvirt's live domain: every device with its address, and where its disks are.

            Example:
              carpel debug domain web
            """)

    @Argument(help: ArgumentHelp("A pod.", valueName: "name-or-id"), completion: .pod)
    var pod: String

    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        let client = try await daemon.connect()
        let found = try await Inventory.load(from: client).pod(pod)
        guard let document = try await client.verbosePodStatus(found.id).info["domain"] else {
            throw CarpelError(
                .failedPrecondition, "podNotReady", "the pod \(found.name) has no machine: it is not ready")
        }
        Console.out(document.hasSuffix("\n") ? document : document + "\n")
    }
}
