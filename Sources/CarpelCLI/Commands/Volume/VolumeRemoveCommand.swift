import ArgumentParser
import CarpelAPI

struct VolumeRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm",
        abstract: "Removes volumes and what they hold.",
        discussion: """
            A volume that a pod has is refused. Snapshots of it stay.

            Example:
              carpel volume rm data trial
            """)

    @Flag(name: .shortAndLong, help: "A volume that is not there is fine.")
    var force = false

    @Argument(help: ArgumentHelp("Volumes.", valueName: "name-or-id"))
    var volumes: [String]

    @OptionGroup var storage: StorageOptions
    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        let client = try await daemon.connect()
        try await forEach(volumes) { name in
            if !force {
                let status = VolumeStatusRequest {
                    $0.volume = name
                    $0.plugin = storage.name
                }
                _ = try await client.call(Methods.volumeStatus, status)
            }
            let request = RemoveVolumeRequest {
                $0.volume = name
                $0.plugin = storage.name
            }
            _ = try await client.call(Methods.removeVolume, request)
            Console.out(name + "\n")
        }
    }
}
