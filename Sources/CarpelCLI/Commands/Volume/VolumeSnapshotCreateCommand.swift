import ArgumentParser
import CarpelAPI

struct VolumeSnapshotCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Keeps what a volume holds now, and prints the snapshot's name.",
        discussion: """
            A pod that has the volume waits with its writes meanwhile.

            Example:
              carpel volume snapshot create data before-upgrade
            """)

    @Argument(help: ArgumentHelp("The volume.", valueName: "name-or-id"))
    var volume: String

    @Argument(help: "The snapshot's name.")
    var name: String

    @OptionGroup var storage: StorageOptions
    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        let request = CreateVolumeSnapshotRequest {
            $0.volume = volume
            $0.plugin = storage.name
            $0.name = name
        }
        let snapshot = try await daemon.connect().call(Methods.createVolumeSnapshot, request).snapshot
        Console.out((snapshot?.name ?? name) + "\n")
    }
}
