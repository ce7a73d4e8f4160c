import CarpelAPI
import CarpelClient
import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// A real daemon, and clients that want to take it from the others.
    @Suite(.serialized) struct HostileClientTests {
        private static let version = #"{"jsonrpc":"2.0","id":1,"method":"Version"}"#

        @Test(.timeLimit(.minutes(5))) func manyConnectionsAndSlowOnesLeaveTheOthersServed() async throws {
            limitDescriptors(to: 1024)
            try await Node.with { node, client in
                let limit = limitDescriptors()
                #expect(try node.descriptorLimit() == min(limit, 65536))
                let (memory, descriptors) = try (node.residentMebibytes(), node.openDescriptors())
                var idle = try (0..<1000).map { _ in try RawConnection(node.socket) }
                var slow = try (0..<100).map { _ in try RawConnection(node.socket) }
                for byte in Self.version + "\n" {
                    for connection in slow { #expect(connection.send(String(byte))) }
                    _ = try await client.call(Methods.version, VersionRequest(), timeout: .seconds(30))
                }
                for connection in slow { #expect(await connection.line()?.contains("runtimeName") == true) }
                #expect(try node.residentMebibytes() < memory + 256)
                #expect(idle.last?.send(Self.version + "\n") == true)
                #expect(await idle.last?.line()?.contains("runtimeName") == true)
                (idle, slow) = ([], [])
                try await expectDescriptors(of: node, atMost: descriptors)
            }
        }

        @Test func connectionsBeyondTheLimitAreToldSo() async throws {
            try await Node.with(settings: "socket: { maximumConnections: 4 }\n") { node, client in
                // The client is one, and those of the start may take a moment to go.
                var open: [RawConnection] = []
                try await eventually("four connections are served") {
                    open = try (0..<3).map { _ in try RawConnection(node.socket) }
                    for connection in open { connection.send(Self.version + "\n") }
                    for connection in open {
                        guard await connection.line()?.contains("runtimeName") == true else { return false }
                    }
                    return true
                }
                let one = try RawConnection(node.socket)
                #expect(await one.line()?.contains("tooManyConnections") == true)
                #expect(await one.line() == nil)
                _ = try await client.call(Methods.version, VersionRequest(), timeout: .seconds(30))
                open = []
                try await eventually("another one is served") {
                    let next = try RawConnection(node.socket)
                    next.send(Self.version + "\n")
                    return await next.line()?.contains("runtimeName") == true
                }
            }
        }

        @Test(.timeLimit(.minutes(5))) func linesWithoutEndShareTheirMemory() async throws {
            try await Node.with { node, client in
                let memory = try node.residentMebibytes()
                let line =
                    #"{"jsonrpc":"2.0","id":1,"method":"Version","params":{"version":""#
                    + String(repeating: "x", count: 4 << 20)
                var connections = try (0..<20).map { _ in try RawConnection(node.socket) }
                await withTaskGroup(of: Void.self) { group in
                    for connection in connections { group.addTask { connection.send(line) } }
                }
                _ = try await client.call(Methods.version, VersionRequest(), timeout: .seconds(30))
                for connection in connections { #expect(connection.send("\"}}\n")) }
                var answers: [String] = []
                for connection in connections { answers.append(await connection.line() ?? "") }
                #expect(answers.contains { $0.contains("runtimeName") })
                #expect(answers.contains { $0.contains("tooMuchAtOnce") })
                #expect(answers.allSatisfy { $0.contains("runtimeName") || $0.contains("tooMuchAtOnce") })
                #expect(try node.residentMebibytes() < memory + 768)
                connections = []
                // What they took has been given back.
                try await eventually("a long line is read again") {
                    let connection = try RawConnection(node.socket)
                    connection.send(line + "\"}}\n")
                    return await connection.line()?.contains("runtimeName") == true
                }
            }
        }

        @Test(.timeLimit(.minutes(5))) func clientsThatVanishInAnyStateLeaveNothing() async throws {
            try await Node.with { node, client in
                let descriptors = try node.openDescriptors()
                let request = #"{"jsonrpc":"2.0","id":1,"method":"METHOD","params":{"verbose":true}}"#
                let states = [
                    // Before its first byte, in the middle of a line, of a call, and of an answer that it does not read.
                    "", String(request.prefix(20)), request.replacing("METHOD", with: "Doctor") + "\n",
                    "["
                        + Array(repeating: request.replacing("METHOD", with: "Status"), count: 256)
                        .joined(separator: ",") + "]\n",
                    String(repeating: request.replacing("METHOD", with: "Doctor") + "\n", count: 100),
                    // Of streams of items.
                    String(repeating: request.replacing("METHOD", with: "WatchNode") + "\n", count: 10),
                    request.replacing("METHOD", with: "StreamImages") + "\n",
                ]
                for state in states {
                    for _ in 0..<10 { try RawConnection(node.socket).send(state) }
                    _ = try await client.call(Methods.version, VersionRequest(), timeout: .seconds(30))
                }
                // One that reads the beginning of a long answer and then nothing.
                let reader = try RawConnection(node.socket)
                reader.send(states[3])
                _ = try await client.call(Methods.version, VersionRequest(), timeout: .seconds(30))
                withExtendedLifetime(reader) {}
                try await expectDescriptors(of: node, atMost: descriptors + 1)
            }
        }

        private func expectDescriptors(of node: Node, atMost most: Int) async throws {
            // A client of the test and what the daemon has open for a moment are not counted.
            try await eventually("the connections are closed", within: .seconds(60)) {
                try node.openDescriptors() <= most + 4
            }
        }
    }
}
