import ArgumentParser
import CarpelAPI

struct VolumeCloneCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clone",
        abstract: "Makes a volume with the content of another, and prints its name.",
        discussion: """
            Examples:
              carpel volume clone data trial
              carpel volume clone --size 20Gi data larger
            """)

    @Option(help: ArgumentHelp("What it must hold; the source's size without it.", valueName: "quantity"))
    var size: String?

    @Argument(help: ArgumentHelp("The volume to copy.", valueName: "name-or-id"))
    var source: String

    @Argument(help: "The new volume's name.")
    var name: String

    @OptionGroup var storage: StorageOptions
    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        let client = try await daemon.connect()
        let status = VolumeStatusRequest {
            $0.volume = source
            $0.plugin = storage.name
        }
        let mode = try await client.call(Methods.volumeStatus, status).volume?.mode ?? .FILESYSTEM
        let request = try CreateVolumeRequest {
            $0.name = name
            $0.plugin = storage.name
            $0.capacityBytes = try size.map { try capacityBytes($0, option: "--size") } ?? 0
            $0.mode = mode
            $0.sourceVolume = source
        }
        Console.out((try await client.call(Methods.createVolume, request).volume?.name ?? name) + "\n")
    }
}
