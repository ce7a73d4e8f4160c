import ArgumentParser
import CarpelAPI

struct VolumeSnapshotRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm",
        abstract: "Removes snapshots.",
        discussion: """
            Volumes that were made from them stay as they are.

            Example:
              carpel volume snapshot rm before-upgrade
            """)

    @Argument(help: ArgumentHelp("Snapshots.", valueName: "name-or-id"))
    var snapshots: [String]

    @OptionGroup var storage: StorageOptions
    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        let client = try await daemon.connect()
        try await forEach(snapshots) { name in
            let request = RemoveVolumeSnapshotRequest {
                $0.snapshot = name
                $0.plugin = storage.name
            }
            _ = try await client.call(Methods.removeVolumeSnapshot, request)
            Console.out(name + "\n")
        }
    }
}
