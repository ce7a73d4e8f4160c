import ArgumentParser
import CarpelAPI
import CarpelClient

struct ImageRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm",
        abstract: "Removes images.",
        discussion: """
            Example:
              carpel image rm docker.io/library/busybox
            """)

    @Argument(help: "References or ids of images.")
    var images: [String]

    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        let client = try await daemon.connect()
        try await forEach(images) { name in
            _ = try await client.image(name)
            let request = RemoveImageRequest { $0.image = ImageSpec { $0.image = name } }
            _ = try await client.call(Methods.removeImage, request)
            Console.out(name + "\n")
        }
    }
}
