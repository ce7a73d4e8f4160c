import CarpelAPI
import CarpelClient
import CarpelCore
import Crypto
import Foundation
import TestSupport
import Testing

extension SystemTests {
    @Suite(.serialized) struct ExecStreamTests {
        @Test func execStreamsBytesBothWays() async throws {
            try await withSleeper { _, client, _, id in
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
                try await terminal(client, id)
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
    }
}
