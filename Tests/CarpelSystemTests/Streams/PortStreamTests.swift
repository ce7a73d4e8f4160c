import CarpelAPI
import CarpelClient
import CarpelCore
import Foundation
import TestSupport
import Testing

extension SystemTests {
    @Suite(.serialized) struct PortStreamTests {
        @Test func portsOfThePodAreForwarded() async throws {
            try await withSleeper { _, client, pod, id in
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
    }
}
