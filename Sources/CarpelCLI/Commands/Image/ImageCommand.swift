import ArgumentParser
import CarpelAPI
import CarpelClient
import CarpelCore
import Foundation

struct ImageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "image",
        abstract: "Pulls, lists and removes images.",
        discussion: """
            Examples:
              carpel image pull docker.io/library/busybox
              carpel image list
            """,
        subcommands: [
            ImagePullCommand.self, ImageListCommand.self, ImageInspectCommand.self, ImageRemoveCommand.self,
            ImageImportCommand.self, ImageExportCommand.self,
        ],
        aliases: ["images"])
}

extension CarpelClient {
    /// What the daemon knows of an image, which must be there.
    func image(_ name: String, verbose: Bool = false) async throws -> ImageStatusResponse {
        let request = ImageStatusRequest {
            $0.image = ImageSpec { $0.image = name }
            $0.verbose = verbose
        }
        let response = try await call(Methods.imageStatus, request)
        guard response.image != nil else {
            throw CarpelError(.notFound, "imageNotFound", "there is no image \"\(name)\": see `carpel image list`")
        }
        return response
    }
}

/// A path as the daemon, which has a working folder of its own, must be told it.
func absolutePath(_ path: String) -> String {
    URL(fileURLWithPath: path).standardizedFileURL.path
}
