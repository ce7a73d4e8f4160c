import ArgumentParser
import CarpelAPI
import CarpelClient
import CarpelCore
import Foundation

struct ConsoleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "console",
        abstract: "Prints what a pod's machine writes on its serial console.",
        discussion: """
            That is the kernel's log of errors, and the agent's. The console takes no input: nothing in the machine \
            reads it; `carpel exec` runs commands in a container. The log is read from the node's disk, as root.

            Examples:
              carpel console web
              carpel console -f web
            """)

    @Flag(name: .shortAndLong, help: "Go on until the machine has ended.")
    var follow = false

    @Argument(help: ArgumentHelp("A pod.", valueName: "name-or-id"), completion: .pod)
    var pod: String

    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        let client = try await daemon.connect()
        let id = try await Inventory.load(from: client).pod(pod).id
        let (path, _) = try await Self.machine(id, client)
        guard let file = FileHandle(forReadingAtPath: path) else {
            guard errno != EACCES else {
                throw CarpelError(.permissionDenied, "logNotAllowed", "you may not read \(path): it is root's")
            }
            throw CarpelError(
                .notFound, "noConsole", "\(path) cannot be read: \(String(cString: strerror(errno)))")
        }
        while true {
            // The state comes first: what is read after it is all that an ended machine wrote.
            let runs = follow ? try await Self.machine(id, client).runs : false
            while let bytes = try file.read(upToCount: 1 << 16), !bytes.isEmpty {
                Console.write(bytes, to: STDOUT_FILENO)
            }
            guard runs else { return }
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    private static func machine(_ id: String, _ client: CarpelClient) async throws -> (bootLog: String, runs: Bool) {
        struct Machine: Decodable { var bootLog: String }
        let status = try await client.verbosePodStatus(id)
        guard let text = status.info["machine"],
            let machine = try? JSONDecoder().decode(Machine.self, from: Data(text.utf8))
        else {
            throw CarpelError(.unavailable, "noConsole", "the daemon does not say where the machine's console is kept")
        }
        return (machine.bootLog, status.status?.state == .SANDBOX_READY)
    }
}

extension CarpelClient {
    func verbosePodStatus(_ id: String) async throws -> PodSandboxStatusResponse {
        let request = PodSandboxStatusRequest {
            $0.podSandboxId = id
            $0.verbose = true
        }
        return try await call(Methods.podSandboxStatus, request)
    }
}
