import ArgumentParser
import CarpelAPI

/// `carpel`, the command line client of the daemon's socket.
public struct CarpelCommand: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "carpel",
        abstract: "Runs pods, each in a lightweight virtual machine of its own.",
        discussion: """
            Pods, containers and images may be given by name, by id or by the start of an id. A name that is a pod's \
            and a container's means the pod where both would do; `pod/container` is always one container.

            Examples:
              carpel doctor
              carpel run --rm docker.io/library/busybox echo hello
              carpel run -d --name web docker.io/library/nginx
              carpel logs -f web

            Environment:
              CARPEL_SOCKET  the daemon's socket, as --socket PATH
              NO_COLOR       if set, no colours

            Exit codes:
            \(ExitStatus.table)
            """,
        version: CarpelVersion.runtime,
        groupedSubcommands: [
            CommandGroup(
                name: "Pods and containers",
                subcommands: [
                    RunCommand.self, PsCommand.self, PodsCommand.self, InspectCommand.self, LogsCommand.self,
                    ExecCommand.self, AttachCommand.self, PortForwardCommand.self, CopyCommand.self, WaitCommand.self,
                    StatsCommand.self, TopCommand.self, UpdateCommand.self, StopCommand.self, RemoveCommand.self,
                    CheckpointCommand.self, RestoreCommand.self, ConsoleCommand.self,
                ]),
            CommandGroup(
                name: "Images, volumes and networks",
                subcommands: [ImageCommand.self, VolumeCommand.self, NetworkCommand.self]),
            CommandGroup(
                name: "The node",
                subcommands: [
                    StatusCommand.self, EventsCommand.self, DoctorCommand.self, PluginCommand.self, VersionCommand.self,
                    APICommand.self, DebugCommand.self,
                ]),
            CommandGroup(name: "The shell", subcommands: [CompletionCommand.self]),
        ])

    public init() {}
}
