import ArgumentParser
import CarpelAPI

struct VolumeRestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Gives a volume that no pod has the content of one of its snapshots.",
        discussion: """
            What the volume holds now is lost.

            Example:
              carpel volume restore data before-upgrade
            """)

    @Argument(help: ArgumentHelp("The volume.", valueName: "name-or-id"))
    var volume: String

    @Argument(help: ArgumentHelp("The snapshot: see `carpel volume snapshot list`.", valueName: "snapshot"))
    var snapshot: String

    @OptionGroup var storage: StorageOptions
    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        let request = RestoreVolumeRequest {
            $0.volume = volume
            $0.plugin = storage.name
            $0.snapshot = snapshot
        }
        _ = try await daemon.connect().call(Methods.restoreVolume, request)
        Console.out(volume + "\n")
    }
}
