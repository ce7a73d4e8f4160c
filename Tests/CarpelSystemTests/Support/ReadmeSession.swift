import CarpelClient
import Foundation
import TestSupport
import Testing

/// A person at a terminal who tries what the README says, in the order in which it is said.
struct ReadmeSession {
    let node: Node
    let client: CarpelClient
    /// Where ports are listened on, so that they meet nobody else's.
    let network: TestNetwork
    let image: String

    private static let controlC = "\u{3}"

    /// Types a command into a shell, does there what it is for, and sees that it ends as it should.
    func use(_ command: String) async throws {
        let line = command.replacing("IMAGE", with: image).replacing(
            "/var/lib/saved", with: "\(node.folder.path)/saved")
        let terminal = try TerminalProcess(
            "/usr/bin/nsenter",
            [
                "--net=\(network.path)", "/bin/sh", "-c",
                "cd \"$1\"; trap : INT; \(line); echo \"ended with $?\"", "sh", node.folder.path,
            ],
            environment: [
                "CARPEL_SOCKET": node.socket,
                "PATH": "\(repository)/.build/debug:/usr/sbin:/usr/bin:/sbin:/bin",
            ], columns: 120)
        let status = try await work(command.split(separator: " ").map(String.init), on: terminal)
        try await terminal.waits(for: "ended with \(status)\r\n")
        _ = try await terminal.end()
        try await check(command)
    }

    /// What a command has done besides what it shows.
    private func check(_ command: String) async throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: node.folder.path)
        if command.hasPrefix("carpel cp") {
            let hosts = try String(contentsOfFile: "\(node.folder.path)/hosts", encoding: .utf8)
            #expect(hosts.contains("localhost"))
        } else if command.hasPrefix("carpel debug bundle") {
            #expect(files.contains { $0.hasPrefix("carpel-debug") }, "\(files)")
        } else if command.hasPrefix("carpel restore") {
            let again = try await client.pods().first { $0.metadata?.name == "again" }?.id
            #expect(
                try await client.containers().contains { $0.podSandboxId == again && $0.state == .CONTAINER_RUNNING })
        }
    }

    /// - Returns: the exit code that the command is to have.
    private func work(_ words: [String], on terminal: TerminalProcess) async throws -> Int32 {
        switch words.dropFirst().prefix(2).joined(separator: " ") {
        case "run -it", "exec -it":
            try await terminal.waits(for: "# ")
            terminal.type("echo $((6 * 7)); exit 5\r")
            try await terminal.waits(for: "42\r\n")
            return 5
        case "wait web/migrate":
            try await terminal.waits(for: "3\r\n")
        case "port-forward web":
            try await terminal.waits(for: "127.0.0.1:8080 -> 80\r\n")
            let page = try await network.shell("curl --silent --head http://127.0.0.1:8080/ | head -n 1")
            #expect(page.hasPrefix("HTTP/1.1 404"))
            terminal.type(Self.controlC)
            return 130
        case "attach web":
            try await eventually("the server tells of requests") {
                _ = try await client.exec(webContainer(), "wget", "-q", "-O", "-", "http://127.0.0.1/")
                return terminal.output.contains("response:404")
            }
            terminal.type(Self.controlC)
            return 130
        case "logs -f":
            try await terminal.waits(for: "response:404")
            terminal.type(Self.controlC)
            return 130
        case "top":
            try await terminal.waits(for: "LAST MINUTE")
            terminal.type("q")
        case "stats --no-stream":
            try await terminal.waits(for: "web/web")
        case "events -o":
            try await eventually("a change is told") {
                let container = try await client.createContainer(
                    in: try await webPod(), containerConfig("told", image, ["true"]))
                try await client.removeContainer(container)
                return terminal.output.contains(#""revision":"#)
            }
            terminal.type(Self.controlC)
            return 130
        case "console -f":
            // It may have nothing to say.
            try await eventually("it ends") {
                terminal.type(Self.controlC)
                return terminal.output.contains("ended with")
            }
            return 130
        case "debug trace":
            try await terminal.waits(for: "\ntotal ")
        default:
            return 0
        }
        return 0
    }

    private func webPod() async throws -> String {
        try #require(try await client.pods().first { $0.metadata?.name == "web" }?.id)
    }

    private func webContainer() async throws -> String {
        try #require(try await client.containers().first { $0.metadata?.name == "web" }?.id)
    }
}
