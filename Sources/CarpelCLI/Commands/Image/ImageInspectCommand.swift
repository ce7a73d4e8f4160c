import ArgumentParser
import CarpelAPI
import CarpelCore

struct ImageInspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Shows all that is known of an image.",
        discussion: """
            Example:
              carpel image inspect docker.io/library/busybox
            """)

    @Argument(help: "The image's reference or id.")
    var image: String

    @OptionGroup var document: DocumentFormat
    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        let response = try await daemon.connect().image(image, verbose: true)
        try document.print(try JSONValue(encoding: response).withReadableInfo())
    }
}
