import ArgumentParser
import CarpelAPI

struct VersionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version",
        abstract: "Prints the versions of this client and of the daemon.",
        discussion: """
            Example:
              carpel version
            """)

    private struct Versions: Encodable {
        var client = CarpelVersion.runtime
        var daemon: VersionResponse?
    }

    @Flag(help: "This client's alone; needs no daemon.")
    var client = false

    @OptionGroup var list: ListFormat
    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        var versions = Versions()
        if client { return try list.print(versions) { Self.clientLine } }
        do {
            versions.daemon = try await daemon.connect().call(Methods.version, VersionRequest())
        } catch {
            try list.print(versions) { Self.clientLine }
            throw error
        }
        try list.print(versions) {
            guard let daemon = versions.daemon else { return Self.clientLine }
            return Self.clientLine
                + "daemon  \(daemon.runtimeName) \(daemon.runtimeVersion) (CRI \(daemon.runtimeApiVersion))\n"
        }
    }

    private static let clientLine = "client  \(CarpelVersion.runtimeName) \(CarpelVersion.runtime)\n"
}
