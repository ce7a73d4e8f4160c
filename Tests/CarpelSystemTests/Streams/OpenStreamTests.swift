import CarpelAPI
import CarpelClient
import CarpelCore
import Foundation
import TestSupport
import Testing

extension SystemTests {
    @Suite(.serialized) struct OpenStreamTests {
        @Test func aStreamsUrlWorksOnceAndOnAConnectionOfItsOwn() async throws {
            try await withSleeper { node, client, _, id in
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
