import CarpelAPI
import CarpelClient
import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// Containers of a pod that mount the same folder of the node.
    @Suite(.serialized) struct SharedLockTests {
        private static let rounds = 10

        private func config(_ name: String, _ path: String, at target: String) -> ContainerConfig {
            containerConfig(name, testImage, ["sleep", "100000"]) {
                $0.mounts = [
                    Mount {
                        $0.hostPath = path
                        $0.containerPath = target
                    }
                ]
            }
        }

        @Test(.timeLimit(.minutes(5))) func locksHoldBetweenContainersThatMountTheSameFolder() async throws {
            try await withPlainNode { node, client in
                let shared = try node.newFolder("shared")
                let pod = try await client.runPod()
                let first = try await client.runContainer(in: pod, config("first", shared, at: "/first"))
                var second = try await client.runContainer(in: pod, config("second", shared, at: "/second"))
                _ = try await client.exec(first, "sqlite3", "/first/data", "CREATE TABLE t (n);")
                for _ in 0..<Self.rounds {
                    try await wholeFileLock(client, first, second)
                    try await rangeLock(client, first, second)
                }
                // Locks and files of those who stay outlive those who leave and come back.
                for _ in 0..<3 {
                    let held = try await hold(client, first, "flock", "/first/lock")
                    try await client.removeContainer(second)
                    second = try await client.runContainer(in: pod, config("second", shared, at: "/second"))
                    #expect(try await client.exec(second, "flock", "-n", "/second/lock", "true").code == 1)
                    try await release(held)
                    try await rangeLock(client, first, second)
                }
                // A daemon that comes anew knows which is which.
                try await node.restartDaemon()
                let next = try await node.connect()
                let third = try await next.runContainer(in: pod, config("third", shared, at: "/third"))
                let held = try await hold(next, third, "flock", "/third/lock")
                #expect(try await next.exec(first, "flock", "-n", "/first/lock", "true").code == 1)
                try await release(held)

                for container in [first, second, third] { try await next.removeContainer(container) }
                let points = try fileNames(in: "\(node.state)/shared").filter { $0.hasSuffix(".points") }
                #expect(points.count == 1)
                for folder in points { #expect(try fileNames(in: "\(node.state)/shared/\(folder)").isEmpty) }
                // Nothing of it is remembered wrongly.
                try Data("new".utf8).write(to: URL(fileURLWithPath: "\(shared)/file"))
                let last = try await next.runContainer(in: pod, config("last", shared, at: "/last"))
                #expect(try await next.exec(last, "cat", "/last/file").out == "new")
            }
        }

        /// A command that holds its lock until its input ends.
        private func hold(_ client: CarpelClient, _ id: String, _ command: String...) async throws -> ByteStream {
            let request = ExecRequest {
                $0.containerId = id
                $0.cmd = command + ["sh", "-c", "echo held; cat"]
                $0.stdin = true
                $0.stdout = true
            }
            let stream = try await client.openStream(url: try await client.call(Methods.exec, request).url)
            #expect(try await stream.read(until: "held\n") == "held\n")
            return stream
        }

        private func release(_ stream: ByteStream) async throws {
            try await stream.closeInput()
            _ = try await stream.collect()
            #expect(stream.exitCode == 0)
        }

        /// flock(2)
        private func wholeFileLock(_ client: CarpelClient, _ first: String, _ second: String) async throws {
            let held = try await hold(client, first, "flock", "/first/lock")
            #expect(try await client.exec(second, "flock", "-n", "/second/lock", "true").code == 1)
            try await release(held)
            #expect(try await client.exec(second, "flock", "-n", "/second/lock", "true").code == 0)
        }

        /// F_SETLK of fcntl(2), with which SQLite locks.
        private func rangeLock(_ client: CarpelClient, _ first: String, _ second: String) async throws {
            let held = try await client.openExec(first, "sqlite3", "/first/data", stdin: true)
            try await held.write(Array("BEGIN EXCLUSIVE;\n.shell echo held\n".utf8))
            #expect(try await held.read(until: "held\n") == "held\n")
            let refused = try await client.exec(second, "sqlite3", "/second/data", "INSERT INTO t VALUES (1);")
            #expect(refused.code != 0 && refused.err.contains("locked"), "\(refused)")
            try await held.write(Array("COMMIT;\n".utf8))
            try await release(held)
            let taken = try await client.exec(second, "sqlite3", "/second/data", "INSERT INTO t VALUES (1);")
            #expect(taken.code == 0, "\(taken)")
        }
    }
}
