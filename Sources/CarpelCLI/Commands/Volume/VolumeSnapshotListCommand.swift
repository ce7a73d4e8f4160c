import ArgumentParser
import CarpelAPI

struct VolumeSnapshotListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists snapshots, the oldest first.",
        discussion: """
            Examples:
              carpel volume snapshot list
              carpel volume snapshot ls --volume data
            """,
        aliases: ["ls"])

    @Option(help: ArgumentHelp("Those of this volume only.", valueName: "name-or-id"))
    var volume: String?

    @Flag(name: .shortAndLong, help: "Print names only.")
    var quiet = false

    @OptionGroup var storage: StorageOptions
    @OptionGroup var list: ListFormat
    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        let request = ListVolumeSnapshotsRequest {
            $0.plugin = storage.name
            $0.volume = volume ?? ""
        }
        let snapshots = try await daemon.connect().call(Methods.listVolumeSnapshots, request).snapshots
        if quiet { return Console.out(snapshots.map { $0.name + "\n" }.joined()) }
        try list.print(snapshots) { Self.table(snapshots) }
    }

    static func table(_ snapshots: [VolumeSnapshotInfo]) -> String {
        var table = TextTable(
            .left("SNAPSHOT"), .left("VOLUME"), .left("PLUGIN"), .right("CAPACITY"), .right("AGE"))
        for snapshot in snapshots {
            table.add(
                "\(snapshot.name)", "\(snapshot.sourceVolumeId)", "\(snapshot.plugin)",
                "\(HumanText.size(snapshot.capacityBytes))", "\(HumanText.age(since: snapshot.createdAt))")
        }
        return table.text
    }
}
