import ArgumentParser
import CarpelAPI

struct VolumeCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Makes a volume and prints its name.",
        discussion: """
            A volume of that name which was made in the same way is fine.

            Examples:
              carpel volume create --size 10Gi data
              carpel volume create --snapshot before-upgrade trial
              carpel volume create --block --size 1Gi raw
            """)

    @Option(
        help: ArgumentHelp(
            "What it must hold, such as 10Gi; the plugin's default, or the source's size, without it.",
            valueName: "quantity"))
    var size: String?

    @Flag(help: "A raw device, without a file system.")
    var block = false

    @Option(help: ArgumentHelp("A snapshot whose content it starts with.", valueName: "name-or-id"))
    var snapshot: String?

    @Option(
        help: ArgumentHelp("A setting of the storage plugin, such as fsType=xfs; repeatable.", valueName: "key=value"))
    var parameter: [String] = []

    @Argument(help: "The volume's name.")
    var name: String

    @OptionGroup var storage: StorageOptions
    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        let request = try request()
        let volume = try await daemon.connect().call(Methods.createVolume, request).volume
        Console.out((volume?.name ?? name) + "\n")
    }

    func request() throws -> CreateVolumeRequest {
        try CreateVolumeRequest {
            $0.name = name
            $0.plugin = storage.name
            $0.capacityBytes = try size.map { try capacityBytes($0, option: "--size") } ?? 0
            $0.mode = block ? .BLOCK : .FILESYSTEM
            $0.parameters = try pairs(parameter, option: "--parameter")
            $0.sourceSnapshot = snapshot ?? ""
        }
    }
}
