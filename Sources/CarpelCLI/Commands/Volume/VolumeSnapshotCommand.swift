import ArgumentParser
import CarpelAPI

struct VolumeSnapshotCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshot",
        abstract: "Keeps what a volume holds now; lists and removes what was kept.",
        discussion: """
            `snapshot VOLUME NAME` is short for `snapshot create VOLUME NAME`.

            Examples:
              carpel volume snapshot data before-upgrade
              carpel volume snapshot list
              carpel volume snapshot rm before-upgrade
            """,
        subcommands: [
            VolumeSnapshotCreateCommand.self, VolumeSnapshotListCommand.self, VolumeSnapshotRemoveCommand.self,
        ],
        defaultSubcommand: VolumeSnapshotCreateCommand.self,
        aliases: ["snapshots"])
}
