import ArgumentParser
import CarpelCore
import Foundation

struct CopyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cp",
        abstract: "Copies files and folders to and from a running container.",
        discussion: """
            One side is CONTAINER:PATH, the other a path of this machine, or - for a tar archive on stdin or stdout. \
            Into a folder that is there, SRC goes under its own name (SRC/. only what is in it); else the target is \
            its new name. Modes, times and links are kept; copies belong to whoever makes them, in a container to its \
            user. From a container neither devices nor set-uid bits are taken over.

            The image must have tar and test, as busybox and all distributions do. Without them `carpel exec web cat \
            /path > file` copies a file.

            Examples:
              carpel cp web:/etc/nginx/nginx.conf .
              carpel cp site/. web/main:/usr/share/nginx/html
              carpel cp web:/var/log - | tar -t
            """)

    @OptionGroup var daemon: DaemonOptions

    @Argument(help: ArgumentHelp("What to copy.", valueName: "[container:]src"), completion: .file())
    var source: String

    @Argument(help: ArgumentHelp("Where to.", valueName: "[container:]dst"), completion: .file())
    var target: String

    func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        switch (try CopyPlace(source), try CopyPlace(target)) {
        case (.container(let container, let path), .local(let target)):
            try await copy(with: container).fetch(path, to: target)
        case (.container(let container, let path), .standard):
            try await copy(with: container).writeArchive(of: path)
        case (.local(let source), .container(let container, let path)):
            try await copy(with: container).send(source, to: path)
        case (.standard, .container(let container, let path)):
            try await copy(with: container).readArchive(into: path)
        default:
            throw CarpelError(
                .invalidArgument, "invalidOption", "one of the two must be CONTAINER:PATH, and only one")
        }
    }

    private func copy(with container: String) async throws -> ContainerCopy {
        let client = try await daemon.connect()
        return ContainerCopy(
            client: client, containerID: try await Inventory.load(from: client).container(container).id,
            name: container)
    }
}
