import ArgumentParser
import CarpelAPI

struct VolumeExpandCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "expand",
        abstract: "Makes a volume larger, and the file system in it too.",
        discussion: """
            Where a pod has the volume, it sees the new size at once if the storage plugin can do that.

            Example:
              carpel volume expand data 20Gi
            """,
        aliases: ["resize"])

    @Argument(help: ArgumentHelp("The volume.", valueName: "name-or-id"))
    var volume: String

    @Argument(help: "What it must hold from now on, such as 20Gi.")
    var size: String

    @OptionGroup var storage: StorageOptions
    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        let request = try ExpandVolumeRequest {
            $0.volume = volume
            $0.plugin = storage.name
            $0.capacityBytes = try capacityBytes(size, option: "SIZE")
        }
        let expanded = try await daemon.connect().call(Methods.expandVolume, request).volume
        Console.out("\(volume) \(HumanText.size(expanded?.capacityBytes ?? -1))\n")
    }
}
