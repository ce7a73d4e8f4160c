import ArgumentParser
import CarpelAPI
import CarpelClient
import CarpelCore

struct ImagePullCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull",
        abstract: "Pulls an image from its registry and prints its id.",
        discussion: """
            Examples:
              carpel image pull docker.io/library/busybox:1.36
              carpel image pull --username me --password-stdin registry.example/app < token
            """)

    @Flag(name: .shortAndLong, help: "Print no progress.")
    var quiet = false

    @Option(name: .shortAndLong, help: ArgumentHelp("Who you are at the registry.", valueName: "name"))
    var username: String?

    @Flag(help: "Read the password from stdin.")
    var passwordStdin = false

    @Argument(help: "The image's reference.")
    var image: String

    @OptionGroup var daemon: DaemonOptions

    func validate() throws {
        if (username != nil) != passwordStdin {
            throw ValidationError("--username and --password-stdin go together")
        }
    }

    func run() async throws {
        var request = PullImageRequest { $0.image = ImageSpec { $0.image = image } }
        if let username {
            let password = readLine(strippingNewline: true) ?? ""
            request.auth = AuthConfig {
                $0.username = username
                $0.password = password
            }
        }
        Console.out(try await daemon.connect().pull(request, quiet: quiet) + "\n")
    }
}
