import ArgumentParser
import CarpelAPI

struct ImageExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Writes an image as an OCI archive.",
        discussion: """
            The daemon writes the file itself, on its own node; it must not exist.

            Example:
              carpel image export docker.io/library/busybox busybox.tar
            """)

    @Argument(help: "The image's reference or id.")
    var image: String

    @Argument(help: "The archive to write.", completion: .file())
    var path: String

    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        let request = ExportImageRequest {
            $0.image = ImageSpec { $0.image = image }
            $0.path = absolutePath(path)
        }
        _ = try await daemon.connect().call(Methods.exportImage, request)
    }
}
