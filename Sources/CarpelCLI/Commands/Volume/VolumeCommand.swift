import ArgumentParser

struct VolumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "volume",
        abstract: "Makes, shows and removes volumes and their snapshots.",
        discussion: """
            A volume outlives the pods that mount it: `carpel run --volume NAME:/data`.

            Examples:
              carpel volume create --size 10Gi data
              carpel volume snapshot data before-upgrade
              carpel volume restore data before-upgrade
            """,
        subcommands: [
            VolumeListCommand.self, VolumeCreateCommand.self, VolumeInspectCommand.self, VolumeExpandCommand.self,
            VolumeCloneCommand.self, VolumeSnapshotCommand.self, VolumeRestoreCommand.self, VolumeRemoveCommand.self,
        ],
        aliases: ["volumes"])
}

/// Which storage plugin to speak to.
struct StorageOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The storage plugin; the one that the daemon is configured with, without it."))
    var plugin: String?

    var name: String { plugin ?? "" }
}
