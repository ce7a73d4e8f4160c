import ArgumentParser
import CarpelAPI
import CarpelClient
import CarpelCore

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Starts a container, in a new pod or in an existing one.",
        discussion: """
            Pulls the image if it is missing, starts a pod, and creates and starts the container in it; if one of \
            these fails, all of them are undone. Then prints what the container writes until it exits, and stops the \
            pod, as Ctrl-C does. `carpel logs` has its output until `carpel rm`, or --rm, removes it. With --detach \
            prints the id of the pod (of the container with --pod) and leaves it running. With -it this terminal is \
            the container's, from its first byte; the detach keys leave it running.

            Exits with the container's exit code; with 125 if carpel failed, 126 if the command is not executable and \
            127 if it is not there. A container that has exited is not started again.

            If this command is killed while it starts them, the daemon finishes the pod and its container or undoes \
            both; with -i, -t or --pod it takes several calls, and what they have made stays: see `carpel pods`.

            What follows IMAGE is the container's, not carpel's.

            Examples:
              carpel run --rm docker.io/library/busybox echo hello
              carpel run -it --rm docker.io/library/busybox sh
              carpel run -d --name web --memory 256Mi docker.io/library/nginx
              carpel run -d --pod web --name probe docker.io/library/busybox sleep 1h
            """)

    @OptionGroup var options: RunOptions
    @OptionGroup var daemon: DaemonOptions

    @Argument(help: "The image to run.")
    var image: String

    @Argument(parsing: .captureForPassthrough, help: "The command, in place of the image's own.")
    var command: [String] = []

    func run() async throws {
        let status = try await failingAsOwn {
            let plan = try RunPlan(image: image, command: command, options: options)
            let launch = PodLaunch(client: try await daemon.connect(), plan: plan, options: options)
            return options.detach ? try await detached(launch) : try await attached(launch)
        }
        if status != 0 { throw ExitCode(status) }
    }

    private func detached(_ launch: PodLaunch) async throws -> Int32 {
        let (result, signal) = await Interruption.cancelling { try await launch.run() }
        if let signal { return 128 + signal }
        let launched = try result.get()
        Console.out((launched.ownsPod ? launched.podID : launched.containerID) + "\n")
        return 0
    }

    private func attached(_ launch: PodLaunch) async throws -> Int32 {
        let removeAtExit = options.removeAtExit
        let (result, signal) = await Interruption.cancelling {
            let launched = try await launch.run()
            let ending = await Result { try await show(launched, launch.client) }
            if case .success(.detached) = ending {
                Console.err("\ndetached; `carpel attach \(HumanText.shortID(launched.containerID))` comes back\n")
                return Int32(0)
            }
            try await shielded { try await leave(launched, launch.client, removing: removeAtExit) }
            guard case .exited(let code) = try ending.get() else { return 0 }
            return code
        }
        if let signal { return 128 + signal }
        return try result.get()
    }
}

/// Shows what the container writes until it has exited, or the keys for detaching were typed.
private func show(_ launched: Launched, _ client: CarpelClient) async throws -> StreamSession.Ending {
    if let session = launched.session { return try await session.run() }
    let status = try await LogPrinter(client: client, containerID: launched.containerID).follow()
    if status.reason == "StartError" || status.reason == "MachineFailed" {
        Console.complain("\(status.reason): \(status.message)")
    }
    return .exited(status.exitCode)
}

/// Stops what was made, so that no machine runs on for a command that has exited, and removes it if it should go.
private func leave(_ launched: Launched, _ client: CarpelClient, removing: Bool) async throws {
    // The daemon may be another one by now.
    let client = try await CarpelClient.connect(socketPath: client.socketPath)
    if launched.ownsPod {
        try await client.stopPod(launched.podID)
        if removing { try await client.removePod(launched.podID) }
    } else {
        try await client.stopContainer(launched.containerID, timeout: 10)
        if removing { try await client.removeContainer(launched.containerID) }
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
