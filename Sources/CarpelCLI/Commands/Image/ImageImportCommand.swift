import ArgumentParser
import CarpelAPI

struct ImageImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Adds the images of an OCI layout or archive, or of a `docker save` archive.",
        discussion: """
            The daemon reads the path itself, on its own node.

            Examples:
              carpel image import busybox.tar
              carpel image import --name example/app:1 ./layout
            """)

    @Option(help: ArgumentHelp("The name of an image that carries none.", valueName: "reference"))
    var name: String?

    @Argument(help: "The folder or the archive.", completion: .file())
    var path: String

    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        let request = ImportImageRequest {
            $0.path = absolutePath(path)
            $0.name = name ?? ""
        }
        let images = try await daemon.connect().call(Methods.importImage, request).images
        for image in images { Console.out("\(image.repoTags.first ?? image.id)\n") }
    }
}
