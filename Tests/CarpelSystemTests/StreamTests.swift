import CarpelAPI
import CarpelClient
import CarpelCore
import Crypto
import Foundation
import TestSupport
import Testing

extension SystemTests {
    @Suite(.serialized) struct StreamTests {
        /// A container with a shell's tools that sleeps.
        private func withContainer(
            _ body: (Node, CarpelClient, _ pod: String, _ container: String) async throws -> Void
        ) async throws {
            let (registry, image) = try await Fixtures.shared.get()
            try await Node.with(registry: registry) { node, client in
                try await client.pull(image)
                let pod = try await client.runPod()
                let id = try await client.runContainer(in: pod, containerConfig("a", image, ["sleep", "100000"]))
                try await body(node, client, pod, id)
            }
        }

        @Test func execStreamsBytesBothWays() async throws {
            try await withContainer { _, client, _, id in
                let apart = try await client.openExec(
                    id, "sh", "-c", "echo to stdout; echo to stderr >&2; exit 7", stderr: true)
                let output = try await apart.collect()
                #expect(output.stdout == Array("to stdout\n".utf8) && output.stderr == Array("to stderr\n".utf8))
                #expect(apart.exitCode == 7)

                // The end of stdin ends `cat`, and what it wrote before arrives.
                let cat = try await client.openExec(id, "cat", stdin: true)
                try await cat.write(Array("half".utf8))
                try await cat.closeInput()
                #expect(try await cat.collect().stdout == Array("half".utf8))
                #expect(cat.exitCode == 0)

                try await digestOfAPipe(client, id, mebibytes: 64)
                try await oneStalledReaderStopsNobody(client, id)
                try await terminal(client, id)
                try await goneClientsTakeTheirCommandsAlong(client, id)
            }
        }

        /// What goes through stdin, a process and stdout comes back as it was.
        private func digestOfAPipe(_ client: CarpelClient, _ id: String, mebibytes: Int) async throws {
            var generator = SystemRandomNumberGenerator()
            let block = (0..<(1 << 17)).flatMap { _ in
                withUnsafeBytes(of: generator.next()) { Array($0) }
            }
            let stream = try await client.openExec(id, "cat", stdin: true)
            async let sent = {
                var hash = SHA256()
                for number in 0..<mebibytes {
                    var piece = block
                    piece[0] = UInt8(truncatingIfNeeded: number)
                    hash.update(data: piece)
                    try await stream.write(piece)
                }
                try await stream.closeInput()
                return hash.finalize()
            }()
            var hash = SHA256()
            var count = 0
            while let frame = try await stream.read() {
                hash.update(data: frame.payload)
                count += frame.payload.count
            }
            #expect(count == mebibytes << 20)
            let digest = hash.finalize()
            #expect(try await sent == digest)
            #expect(stream.exitCode == 0)
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

        private func terminal(_ client: CarpelClient, _ id: String) async throws {
            let shell = try await client.openExec(id, "sh", stdin: true, tty: true)
            try await shell.resize(TerminalSize(width: 101, height: 37))
            try await shell.write(Array("stty size; tty; echo $TERM\n".utf8))
            var screen = try await shell.read(until: "xterm\r\n")
            #expect(screen.contains("37 101\r\n") && screen.contains("/dev/pts/"))
            try await shell.write(Array("sleep 4711\n".utf8))
            try await eventually("the command runs") {
                try await client.exec(id, "sh", "-c", "ps | grep -c '[s]leep 4711'").out == "1\n"
            }
            try await shell.write([3])
            try await shell.write(Array("echo left $?; exit 5\n".utf8))
            screen = try await shell.read(until: "left 130\r\n")
            #expect(screen.contains("left 130"))
            _ = try await shell.collect()
            #expect(shell.exitCode == 5)
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

        @Test func attachedClientsComeAndGo() async throws {
            let (registry, image) = try await Fixtures.shared.get()
            try await Node.with(registry: registry) { _, client in
                try await client.pull(image)
                let pod = try await client.runPod()
                try await attachBeforeTheStart(client, pod, image)
                try await attachSeveral(client, pod, image)
                try await attachToATerminal(client, pod, image)
                try await slowAttachment(client, pod, image)
            }
        }

        private func attachBeforeTheStart(_ client: CarpelClient, _ pod: String, _ image: String) async throws {
            let id = try await client.createContainer(
                in: pod,
                containerConfig("once", image, ["sh", "-c", "echo first; cat; echo done >&2; exit 4"]) {
                    $0.stdin = true
                    $0.stdinOnce = true
                })
            let stream = try await client.openAttach(id, stdin: true, stderr: true)
            try await stream.write(Array("fed before the start\n".utf8))
            try await client.startContainer(id)
            try await stream.closeInput()
            let output = try await stream.collect()
            #expect(output.stdout == Array("first\nfed before the start\n".utf8))
            #expect(output.stderr == Array("done\n".utf8))
            #expect(stream.exitCode == 4)
            await #expect { try await client.openAttach(id) } throws: {
                ($0 as? CarpelError)?.reason == "containerNotRunning"
            }

            let missing = try await client.createContainer(in: pod, containerConfig("missing", image, ["missing"]))
            let waiting = try await client.openAttach(missing)
            await #expect(throws: CarpelError.self) { try await client.startContainer(missing) }
            _ = try await waiting.collect()
            #expect(waiting.exitCode == 127)
        }

        private func attachSeveral(_ client: CarpelClient, _ pod: String, _ image: String) async throws {
            let id = try await client.runContainer(
                in: pod,
                containerConfig("several", image, ["sh", "-c", "while read line; do echo got $line; done; exit 3"]) {
                    $0.stdin = true
                })
            let first = try await client.openAttach(id, stdin: true)
            let second = try await client.openAttach(id, stdin: true)
            try await first.write(Array("one\n".utf8))
            #expect(try await first.read(until: "got one\n") == "got one\n")
            try await second.write(Array("two\n".utf8))
            #expect(try await second.read(until: "got two\n") == "got one\ngot two\n")
            // Neither the end of an attachment's stdin nor its own end reaches the container.
            try await first.closeInput()
            await first.close()
            await second.close()
            let third = try await client.openAttach(id, stdin: true)
            try await third.write(Array("three\n".utf8))
            #expect(try await third.read(until: "got three\n") == "got three\n")
            #expect(try await client.containerStatus(id).state == .CONTAINER_RUNNING)
            await #expect { try await client.openAttach(id, tty: true) } throws: {
                ($0 as? CarpelError)?.reason == "ttyMismatch"
            }
        }

        private func attachToATerminal(_ client: CarpelClient, _ pod: String, _ image: String) async throws {
            let id = try await client.createContainer(
                in: pod,
                containerConfig("terminal", image, ["sh"]) {
                    $0.stdin = true
                    $0.stdinOnce = true
                    $0.tty = true
                })
            let stream = try await client.openAttach(id, stdin: true, tty: true)
            async let resized: Void = stream.resize(TerminalSize(width: 90, height: 30))
            try await client.startContainer(id)
            try await resized
            try await stream.write(Array("stty size\n".utf8))
            #expect(try await stream.read(until: "30 90\r\n").contains("30 90"))
            await stream.close()
            let again = try await client.openAttach(id, stdin: true, tty: true)
            try await again.write(Array("exit 6\n".utf8))
            _ = try await again.collect()
            #expect(again.exitCode == 6)
        }

        /// A client that does not read misses something, is told so, and holds the container up for seconds only; one
        /// that reads misses nothing.
        private func slowAttachment(_ client: CarpelClient, _ pod: String, _ image: String) async throws {
            let command = ["sh", "-c", "head -c 8000000 /dev/zero | tr '\\0' x"]
            let heard = try await client.createContainer(in: pod, containerConfig("heard", image, command))
            let attentive = try await client.openAttach(heard)
            try await client.startContainer(heard)
            let (bytesHeard, missedNone) = try await listen(attentive)
            #expect(bytesHeard == 8_000_000 && missedNone == 0)

            let id = try await client.createContainer(in: pod, containerConfig("loud", image, command))
            let stream = try await client.openAttach(id)
            try await client.startContainer(id)
            #expect(try await client.exit(of: id).exitCode == 0)
            let (bytes, missed) = try await listen(stream)
            #expect(missed > 0 && bytes < 8_000_000)
            #expect(stream.exitCode == 0)
        }

        private func listen(_ stream: ByteStream) async throws -> (bytes: Int, missed: UInt64) {
            var missed: UInt64 = 0
            var bytes = 0
            while let frame = try await stream.read() {
                if frame.channel == .notice {
                    missed += try JSONDecoder().decode(StreamNotice.self, from: Data(frame.payload)).missed
                } else {
                    bytes += frame.payload.count
                }
            }
            return (bytes, missed)
        }

        @Test func portsOfThePodAreForwarded() async throws {
            try await withContainer { _, client, pod, id in
                _ = try await client.exec(id, "sh", "-c", "echo over the port > /tmp/page")
                _ = try await client.exec(id, "httpd", "-p", "127.0.0.1:80", "-h", "/tmp")
                let page = try await client.openPort(80, of: pod)
                try await page.write(Array("GET /page HTTP/1.0\r\n\r\n".utf8))
                let answer = String(decoding: try await page.collectData(), as: UTF8.self)
                #expect(answer.hasPrefix("HTTP/1.") && answer.hasSuffix("over the port\n"))

                // Each side says all it has although the other has ended.
                let counting = try await client.openExec(id, "nc", "-l", "-p", "90", "-e", "wc", "-c")
                var port = try await client.openPortOnceItListens(90, of: pod)
                try await port.write([UInt8](repeating: 65, count: 1 << 20))
                try await port.closeInput()
                #expect(String(decoding: try await port.collectData(), as: UTF8.self) == "1048576\n")
                #expect(port.exitCode == 0)
                _ = try await counting.collect()

                _ = try await client.exec(id, "httpd", "-p", "[::1]:91", "-h", "/tmp")
                port = try await client.openPort(91, of: pod)
                try await port.write(Array("GET /page HTTP/1.0\r\n\r\n".utf8))
                #expect(String(decoding: try await port.collectData(), as: UTF8.self).hasSuffix("over the port\n"))

                await #expect { try await client.openPort(92, of: pod) } throws: {
                    ($0 as? CarpelError)?.reason == "connectionRefused"
                }
                for wrong in [[], [80, 81], [0], [65536]] as [[Int32]] {
                    let request = PortForwardRequest {
                        $0.podSandboxId = pod
                        $0.port = wrong
                    }
                    await #expect { try await client.call(Methods.portForward, request) } throws: {
                        ($0 as? CarpelError)?.field == "port"
                    }
                }
            }
        }

        @Test func aStreamsUrlWorksOnceAndOnAConnectionOfItsOwn() async throws {
            try await withContainer { node, client, _, id in
                await #expect { try await client.openStream(url: "carpel:///streams/nope") } throws: {
                    ($0 as? CarpelError)?.reason == "streamNotFound"
                }
                let url = try await client.call(
                    Methods.exec,
                    ExecRequest {
                        $0.containerId = id
                        $0.cmd = ["true"]
                        $0.stdout = true
                    }
                ).url
                await #expect {
                    try await client.call(Methods.openStream, OpenStreamRequest { $0.url = url })
                } throws: {
                    ($0 as? CarpelError)?.reason == "connectionInUse"
                }
                _ = try await client.openStream(url: url).collect()
                await #expect { try await client.openStream(url: url) } throws: {
                    ($0 as? CarpelError)?.reason == "streamNotFound"
                }
                await #expect { try await client.openExec(id, "missing") } throws: {
                    ($0 as? CarpelError)?.reason == "commandNotFound"
                }
                await #expect { try await client.openExec(id, "sh", stderr: true, tty: true) } throws: {
                    ($0 as? CarpelError)?.field == "stderr"
                }
                await #expect { try await client.openExec(id, "sh", stdout: false) } throws: {
                    ($0 as? CarpelError)?.reason == "noStream"
                }
                try await framesThatAreNone(node, client, id)
            }
        }

        /// A stranger with a line and some bytes.
        private func framesThatAreNone(_ node: Node, _ client: CarpelClient, _ id: String) async throws {
            let request = ExecRequest {
                $0.containerId = id
                $0.cmd = ["cat"]
                $0.stdin = true
                $0.stdout = true
            }
            for (bytes, expected) in [
                ([0, 0, 0, 0, 2] + Array("hi".utf8), #""exitCode":0"#), ([9, 0, 0, 0, 0], "frameInvalid"),
                ([0, 255, 255, 255, 255], "frameInvalid"),
            ] as [([UInt8], String)] {
                let url = try await client.call(Methods.exec, request).url
                let stranger = try RawConnection(node.socket)
                stranger.send(
                    #"{"jsonrpc":"2.0","id":1,"method":"OpenStream","params":{"url":"\#(url)"}}"# + "\n")
                #expect(await stranger.line()?.contains("result") == true)
                stranger.send(bytes)
                stranger.endSending()
                let answer = String(decoding: await stranger.rest(), as: UTF8.self)
                #expect(answer.contains(expected), "\(bytes): \(answer)")
            }
        }
    }
}

extension CarpelClient {
    func openExec(
        _ container: String, _ command: String..., stdin: Bool = false, stdout: Bool = true, stderr: Bool = false,
        tty: Bool = false
    ) async throws -> ByteStream {
        let request = ExecRequest {
            $0.containerId = container
            $0.cmd = command
            $0.stdin = stdin
            $0.stdout = stdout
            $0.stderr = stderr
            $0.tty = tty
        }
        return try await openStream(url: try await call(Methods.exec, request).url)
    }

    func openAttach(
        _ container: String, stdin: Bool = false, stderr: Bool = false, tty: Bool = false
    ) async throws -> ByteStream {
        let request = AttachRequest {
            $0.containerId = container
            $0.stdin = stdin
            $0.stdout = true
            $0.stderr = stderr
            $0.tty = tty
        }
        return try await openStream(url: try await call(Methods.attach, request).url)
    }

    func openPort(_ port: Int32, of pod: String) async throws -> ByteStream {
        let request = PortForwardRequest {
            $0.podSandboxId = pod
            $0.port = [port]
        }
        return try await openStream(url: try await call(Methods.portForward, request).url)
    }

    func openPortOnceItListens(_ port: Int32, of pod: String) async throws -> ByteStream {
        let deadline = ContinuousClock.now + .seconds(30)
        while true {
            do {
                return try await openPort(port, of: pod)
            } catch let error as CarpelError where error.reason == "connectionRefused" {
                guard ContinuousClock.now < deadline else { throw error }
            }
        }
    }
}

extension ByteStream {
    func collect() async throws -> (stdout: [UInt8], stderr: [UInt8]) {
        var output: (stdout: [UInt8], stderr: [UInt8]) = ([], [])
        while let frame = try await read() {
            switch frame.channel {
            case .stdout: output.stdout += frame.payload
            case .stderr: output.stderr += frame.payload
            default: break
            }
        }
        return output
    }

    /// What a port sends until it has sent all; then says that nothing more goes to it.
    func collectData() async throws -> [UInt8] {
        var data: [UInt8] = []
        while let frame = try await read() {
            if frame.channel == .data { data += frame.payload }
            if frame.channel == .close { try await closeInput() }
        }
        return data
    }

    /// What the process writes until it has written this.
    func read(until end: String) async throws -> String {
        var bytes: [UInt8] = []
        while !String(decoding: bytes, as: UTF8.self).contains(end), let frame = try await read() {
            bytes += frame.payload
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
