import ArgumentParser
import CarpelAPI
import CarpelCore

struct VolumeListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists volumes, and what the pools have left.",
        discussion: """
            Examples:
              carpel volume list
              carpel volume ls --format json
            """,
        aliases: ["ls"])

    @Flag(name: .shortAndLong, help: "Print names only.")
    var quiet = false

    @OptionGroup var storage: StorageOptions
    @OptionGroup var list: ListFormat
    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        let client = try await daemon.connect()
        let answer = try await client.call(Methods.listVolumes, ListVolumesRequest { $0.plugin = storage.name })
        if quiet { return Console.out(answer.volumes.map { $0.name + "\n" }.joined()) }
        let pods = try await Inventory.load(from: client)
        try list.print(answer) { Self.table(answer, pods) }
    }

    /// The volumes, and below them the pools.
    static func table(_ answer: ListVolumesResponse, _ inventory: Inventory) -> String {
        var volumes = TextTable(
            .left("VOLUME"), .left("PLUGIN"), .left("MODE"), .right("CAPACITY"), .right("ON DISK"), .right("AGE"),
            .left("PODS"))
        for volume in answer.volumes {
            volumes.add(
                "\(volume.name)", "\(volume.plugin)", "\(volume.mode.rawValue.lowercased())",
                "\(HumanText.size(volume.capacityBytes))", "\(HumanText.size(volume.allocatedBytes))",
                "\(HumanText.age(since: volume.createdAt))",
                "\(volume.podSandboxIds.map { Self.name(of: $0, inventory) }.joined(separator: ", "))")
        }
        var pools = TextTable(.left("POOL"), .right("CAPACITY"), .right("AVAILABLE"))
        for pool in answer.pools where pool.message.isEmpty {
            pools.add(
                "\(pool.plugin)", "\(HumanText.size(pool.capacityBytes))", "\(HumanText.size(pool.availableBytes))")
        }
        let troubles = answer.pools.filter { !$0.message.isEmpty }.map { "  \($0.plugin): \($0.message)\n" }
        return volumes.text + "\n" + pools.text + (troubles.isEmpty ? "" : "\nTroubles:\n" + troubles.joined())
    }

    private static func name(of podID: String, _ inventory: Inventory) -> String {
        inventory.pods.first { $0.id == podID }?.name ?? HumanText.shortID(podID)
    }
}

extension HumanText {
    /// Empty where the number is not known.
    static func size(_ bytes: Int64) -> String { bytes < 0 ? "" : ByteCount(bytes).description }
}
