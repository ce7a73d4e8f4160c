import ArgumentParser
import CarpelAPI
import CarpelCore

struct VolumeInspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Shows all that is known of a volume, and how full it is where a pod has it.",
        discussion: """
            Example:
              carpel volume inspect data
            """)

    @Argument(help: ArgumentHelp("The volume.", valueName: "name-or-id"))
    var volume: String

    @OptionGroup var storage: StorageOptions
    @OptionGroup var document: DocumentFormat
    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        let request = VolumeStatusRequest {
            $0.volume = volume
            $0.plugin = storage.name
        }
        try document.print(JSONValue(encoding: try await daemon.connect().call(Methods.volumeStatus, request)))
    }
}
