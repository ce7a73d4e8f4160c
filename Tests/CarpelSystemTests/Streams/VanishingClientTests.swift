import CarpelAPI
import CarpelClient
import CarpelCore
import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// Clients that are gone in the middle of a stream, because they hung up or died.
    @Suite(.serialized) struct VanishingClientTests {
        private static let rounds = 5
        private static let block = [UInt8](repeating: 1, count: 32768)

        @Test(.timeLimit(.minutes(5))) func clientsOfCommandsThatVanishLeaveNothing() async throws {
            try await withSleeper { node, client, pod, id in
                let descriptors = try node.openDescriptors()
                for _ in 0..<Self.rounds {
                    // In the middle of output that is read, of output that nobody reads, and of both directions.
                    let flowing = try await client.openExec(id, "sh", "-c", "while :; do echo flowing; done")
                    _ = try await flowing.read(until: "flowing\nflowing\n")
                    let stalled = try await client.openExec(id, "cat", "/dev/zero")
                    let both = try await client.openExec(id, "cat", stdin: true)
                    let feeding = feed(both)
                    _ = try await both.read()
                    let screen = try await client.openExec(id, "sh", "-c", "while :; do echo shown; done", tty: true)
                    _ = try await screen.read(until: "shown\r\n")
                    for stream in [flowing, stalled, both, screen] { await stream.close() }
                    feeding.cancel()
                    _ = await feeding.result
                    // Before it is told that its command runs.
                    try await open(node, client, execRequest(id, "sleep", "4711"))
                }
                try await dieWithCommand(node, client, id)
                try await oneStalledReaderStopsNobody(client, id)
                try await goneClientsTakeTheirCommandsAlong(client, id)
                try await expectQuiet(node, client, pod, containers: 1, descriptors: descriptors)
                try await expectNone(client, id, of: "cat", "sh -c", "sleep 4711")
            }
        }

        @Test(.timeLimit(.minutes(5))) func clientsOfPortsThatVanishLeaveNothing() async throws {
            try await withSleeper { node, client, pod, id in
                _ = try await client.runContainer(
                    in: pod, containerConfig("echo", testImage, ["nc", "-ll", "-p", "90", "-e", "cat"]))
                await (try await client.openPortOnceItListens(90, of: pod)).close()
                let descriptors = try node.openDescriptors()
                for _ in 0..<Self.rounds {
                    // Data in both directions, and data that nobody takes back.
                    let both = try await client.openPort(90, of: pod)
                    let deaf = try await client.openPort(90, of: pod)
                    let feeding = [feed(both), feed(deaf)]
                    var count = 0
                    while count < 1 << 20, let frame = try await both.read() { count += frame.payload.count }
                    #expect(count >= 1 << 20)
                    for stream in [both, deaf] { await stream.close() }
                    for task in feeding {
                        task.cancel()
                        _ = await task.result
                    }
                    try await open(node, client, portRequest(90, pod))
                }
                try await dieWithPort(node, client, pod, id)
                try await expectQuiet(node, client, pod, containers: 2, descriptors: descriptors)
                try await eventually("no connection is left in the pod") {
                    try await client.exec(
                        id, "sh", "-c", "cat /proc/net/tcp /proc/net/tcp6 | awk '$4 == \"01\"' | wc -l"
                    ).out == "0\n"
                }
                try await expectNone(client, id, of: "cat")
                // The port serves others.
                let page = try await client.openPort(90, of: pod)
                try await page.write(Array("still here\n".utf8))
                #expect(try await page.read(until: "\n") == "still here\n")
            }
        }

        @Test(.timeLimit(.minutes(5))) func attachedClientsThatVanishLeaveTheContainerAsItWas() async throws {
            try await withSleeper { node, client, pod, _ in
                let script = "i=0; while :; do i=$((i+1)); echo $i; usleep 1000; done"
                let loud = try await client.runContainer(
                    in: pod, containerConfig("loud", testImage, ["sh", "-c", script]) { $0.stdin = true })
                let descriptors = try node.openDescriptors()
                for _ in 0..<Self.rounds {
                    let reading = try await client.openAttach(loud, stdin: true)
                    // The container does not read: this fills up.
                    let feeding = feed(reading)
                    for _ in 0..<3 { _ = try await reading.read() }
                    let stalled = try await client.openAttach(loud)
                    for stream in [reading, stalled] { await stream.close() }
                    feeding.cancel()
                    _ = await feeding.result
                }
                try await expectQuiet(node, client, pod, containers: 2, descriptors: descriptors)
                #expect(try await client.containerStatus(loud).state == .CONTAINER_RUNNING)
                let next = try await client.openAttach(loud)
                #expect(try await next.read() != nil)
                await next.close()
                // Whatever came and went, its log has every line once.
                let log = try await client.containerStatus(loud).logPath
                try await client.stopContainer(loud, timeout: 0)
                _ = try await client.exit(of: loud)
                let lines = try logLines([log]).map { Int($0) }
                #expect(lines == Array(1...lines.count))
            }
        }

        // MARK: What may be left

        /// Nothing is open but what each container's log is written from.
        private func expectQuiet(
            _ node: Node, _ client: CarpelClient, _ pod: String, containers: Int, descriptors: Int
        ) async throws {
            struct Info: Decodable { let openStreams: Int }
            var streams = -1
            do {
                try await eventually("the streams to the pod are closed") {
                    let text = try await client.podStatus(pod).info["machine"] ?? ""
                    streams = try JSONDecoder().decode(Info.self, from: Data(text.utf8)).openStreams
                    return streams == containers
                }
            } catch {
                throw SupportError("\(error): \(streams) for \(containers) containers")
            }
            // What the daemon has open for a moment is not counted.
            try await eventually("the connections are closed") { try node.openDescriptors() <= descriptors + 4 }
        }

        /// Waits until no process of the pod has a command line that begins with one of these.
        private func expectNone(_ client: CarpelClient, _ id: String, of commands: String...) async throws {
            try await eventually("no process is left of \(commands)") {
                try await !client.exec(id, "ps", "-o", "args").out.split(separator: "\n").contains { line in
                    commands.contains { "\(line) ".hasPrefix("\($0) ") }
                }
            }
        }

        // MARK: Clients

        private func feed(_ stream: ByteStream) -> Task<Void, any Error> {
            Task { while !Task.isCancelled { try await stream.write(Self.block) } }
        }

        private func execRequest(_ id: String, _ command: String...) -> (CarpelClient) async throws -> String {
            let request = ExecRequest {
                $0.containerId = id
                $0.cmd = command
                $0.stdout = true
            }
            return { try await $0.call(Methods.exec, request).url }
        }

        private func portRequest(_ port: Int32, _ pod: String) -> (CarpelClient) async throws -> String {
            let request = PortForwardRequest {
                $0.podSandboxId = pod
                $0.port = [port]
            }
            return { try await $0.call(Methods.portForward, request).url }
        }

        /// Asks for the stream and hangs up at once.
        private func open(
            _ node: Node, _ client: CarpelClient, _ request: (CarpelClient) async throws -> String
        ) async throws {
            let url = try await request(client)
            let line = #"{"jsonrpc":"2.0","id":1,"method":"OpenStream","params":{"url":"URL"}}"#
            try RawConnection(node.socket).send(line.replacing("URL", with: url) + "\n")
        }

        private func carpel(_ node: Node, _ command: String) throws -> ChildProcess {
            try ChildProcess(
                "/bin/sh",
                ["-c", "exec \"$0\" --socket \"$1\" \(command)", "\(repository)/.build/debug/carpel", node.socket],
                log: "\(node.folder.path)/client.log")
        }

        private func dieWithCommand(_ node: Node, _ client: CarpelClient, _ id: String) async throws {
            let dying = try carpel(node, "exec -i web/a cat </dev/zero >/dev/null")
            try await eventually("its command runs") {
                try await client.exec(id, "ps", "-o", "args").out.split(separator: "\n").contains("cat")
            }
            try await dying.end(SIGKILL)
        }

        private func dieWithPort(_ node: Node, _ client: CarpelClient, _ pod: String, _ id: String) async throws {
            let port = try freePort()
            let dying = try carpel(node, "port-forward web \(port):90")
            let output = "\(node.folder.path)/echoed"
            let far = try ChildProcess(
                "/bin/sh",
                ["-c", "exec socat -t 60 TCP:127.0.0.1:$0,retry=600,interval=0.1 STDIO </dev/zero", "\(port)"],
                log: output)
            try await eventually("bytes come back") {
                try FileManager.default.attributesOfItem(atPath: output)[.size] as? Int ?? 0 > 1 << 20
            }
            try await dying.end(SIGKILL)
            try await eventually("its own client sees the end") { !far.isRunning }
        }

        private func oneStalledReaderStopsNobody(_ client: CarpelClient, _ id: String) async throws {
            // Nobody reads this one, and nobody takes what is written to the other.
            let stalled = try await client.openExec(id, "cat", "/dev/zero")
            let deaf = try await client.openExec(id, "sleep", "100000", stdin: true)
            let feeding = Task { while !Task.isCancelled { try await deaf.write([UInt8](repeating: 1, count: 32768)) } }
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        let stream = try await client.openExec(id, "head", "-c", "3000000", "/dev/zero")
                        return try await stream.collect().stdout.count
                    }
                }
                for try await count in group { #expect(count == 3_000_000) }
            }
            feeding.cancel()
            await deaf.close()
            await stalled.close()
            _ = await feeding.result
            try await eventually("the two are gone") {
                try await client.exec(id, "sh", "-c", "ps | grep -c -e '[c]at /dev/zero' -e '[s]leep 100000'").out
                    == "1\n"
            }
        }

        private func goneClientsTakeTheirCommandsAlong(_ client: CarpelClient, _ id: String) async throws {
            let polite = try await client.openExec(
                id, "sh", "-c", "trap 'echo hung up > /tmp/polite; exit' HUP; echo ready; while :; do sleep 0.1; done")
            _ = try await polite.read()
            let stubborn = try await client.openExec(
                id, "sh", "-c", "trap '' HUP TERM; echo ready; while :; do sleep 0.7; done")
            _ = try await stubborn.read()
            await polite.close()
            await stubborn.close()
            try await eventually("the commands are gone") {
                try await client.exec(id, "sh", "-c", "ps | grep -c -e '[s]leep 0'; cat /tmp/polite").out
                    == "0\nhung up\n"
            }
        }
    }
}
