import CarpelAPI
import CarpelClient
import CarpelCore
import Foundation
import TestSupport
import Testing

extension SystemTests {
    @Suite(.serialized) struct AttachStreamTests {
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
    }
}
