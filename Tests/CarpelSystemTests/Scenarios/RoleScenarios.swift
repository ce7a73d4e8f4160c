import CarpelAPI
import CarpelClient
import CarpelCore
import CarpelRuntime
import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// What depends on who is asking, on fake machines.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct RoleScenarios {
        private func info(_ id: String, _ client: CarpelClient) async throws -> [String: String] {
            let request = ContainerStatusRequest {
                $0.containerId = id
                $0.verbose = true
            }
            return try await client.call(Methods.containerStatus, request).info
        }

        private func config(_ info: [String: String]) throws -> ContainerConfig {
            try ContainerConfig(json: Data(try #require(info["config"]).utf8))
        }

        @Test func viewersSeeTheNamesOfAnEnvironmentAndNotItsValues() async throws {
            try await withFakeNode { node, client in
                let asked = containerConfig("a", testImage, ["sleep", "1000"]) {
                    $0.envs = [
                        KeyValue {
                            $0.key = "PASSWORD"
                            $0.value = Data("open=sesame".utf8)
                        }
                    ]
                }
                let id = try await client.createContainer(in: try await client.runPod(), asked)
                let toAdmins = try await info(id, client)
                #expect(try config(toAdmins) == asked)
                #expect(toAdmins["guest"]?.contains("PASSWORD=open=sesame") == true)

                try await node.stopDaemon()
                var socket = SocketConfiguration()
                socket.viewUsers = [geteuid()]
                try await node.startDaemon(socket)
                let toViewers = try await info(id, try await node.connect())
                var expected = asked
                expected.envs[0].value = Data()
                #expect(try config(toViewers) == expected)
                #expect(toViewers["guest"]?.contains(#""PASSWORD""#) == true)
                for secret in ["sesame", Data("open=sesame".utf8).base64EncodedString()] {
                    #expect(!toViewers.values.contains { $0.contains(secret) })
                }
            }
        }
    }
}
