import ArgumentParser
import CarpelAPI
import CarpelClient
import CarpelCore

struct StopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop",
        abstract: "Stops pods or containers.",
        discussion: """
            Containers get their stop signal, and SIGKILL after the timeout. A pod's machine is gone with it; its \
            logs and its state stay until `carpel rm`.

            Examples:
              carpel stop web
              carpel stop --timeout 30 web/probe db
            """)

    @Option(
        name: [.long, .customShort("t")],
        help: ArgumentHelp("Seconds between the stop signal and SIGKILL.", valueName: "seconds"))
    var timeout: Int64 = 10

    @Argument(
        help: ArgumentHelp("Pods or containers.", valueName: "name-or-id"),
        completion: .podOrContainer)
    var targets: [String]

    @OptionGroup var daemon: DaemonOptions

    func validate() throws {
        if timeout < 0 { throw ValidationError("--timeout is a number of seconds, 0 or more") }
    }

    func run() async throws {
        let client = try await daemon.connect()
        let inventory = try await Inventory.load(from: client)
        try await forEach(targets) { name in
            switch try inventory.target(name) {
            case .pod(let pod): try await client.stop(pod, in: inventory, timeout: timeout)
            case .container(let container): try await client.stopContainer(container.id, timeout: timeout)
            }
            Console.out(name + "\n")
        }
    }
}

extension CarpelClient {
    /// Stops the pod's containers side by side with their grace, and then the pod, which would kill them at once.
    func stop(_ pod: PodSandboxItem, in inventory: Inventory, timeout: Int64) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for container in inventory.containers(of: pod) where container.state == .CONTAINER_RUNNING {
                group.addTask { try await self.stopContainer(container.id, timeout: timeout) }
            }
            try await group.waitForAll()
        }
        try await stopPod(pod.id)
    }
}
