import CarpelAPI
import CarpelClient
import CarpelCore
import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// What real machines cannot be made to do on demand.
    @Suite(.serialized) struct PodFailures {
        @Test func aFailedStepUndoesThoseBeforeIt() async throws {
            try await withFakeNode { node, client in
                await node.hypervisor.silenceGuests()
                await #expect { try await client.runPod() } throws: { ($0 as? CarpelError)?.reason == "agentSilent" }
                let pods = try await client.pods()
                #expect(pods.isEmpty)
                #expect(try await node.machineCount() == 0)
                #expect(try FileManager.default.contentsOfDirectory(atPath: node.paths.pods).isEmpty)
            }
        }

        @Test func whatCannotBeUndoneIsKeptForTheRetry() async throws {
            try await withFakeNode { node, client in
                await node.hypervisor.silenceGuests()
                await node.hypervisor.failDestroying(times: 1)
                await #expect { try await client.runPod() } throws: { ($0 as? CarpelError)?.reason == "agentSilent" }
                let id = try #require(try await client.pods().first?.id)
                #expect(try await client.podState(id) == .SANDBOX_NOTREADY)
                #expect(try await client.podStatus(id).info["machine"]?.contains("cannot be destroyed") == true)
                #expect(try await node.machineCount() == 1)

                try await client.removePod(id)
                #expect(try await node.machineCount() == 0)
                let pods = try await client.pods()
                #expect(pods.isEmpty)
            }
        }

        /// A container was once seen to have exited before its pod told why, and the pod never did if its machine could
        /// not be put away.
        @Test func aPodTellsWhyItsMachineEndedOnceItsContainersHaveExited() async throws {
            try await withFakeNode { node, client in
                let pod = try await client.runPod()
                let id = try await client.runContainer(in: pod, containerConfig("a", testImage, ["sleep", "1000"]))
                // The first is that of the death itself.
                await node.hypervisor.failDestroying(times: 2)
                try await node.killMachine(of: pod)
                #expect(try await client.exit(of: id).reason == "MachineFailed")
                #expect(try await client.podStatus(pod).info["machine"]?.contains("killed by the test") == true)

                try await client.removePod(pod)
                #expect(try await node.machineCount() == 0)
            }
        }

        @Test func aPodThatWasHalfMadeWhenTheDaemonDiedIsUndone() async throws {
            try await withFakeNode { node, client in
                _ = try await client.runPod()
                try await node.stopDaemon()
                try await sqlite(node, "UPDATE pod SET phase = 'creating'")
                try await node.restartDaemon()
                let pods = try await node.connect().pods()
                #expect(pods.isEmpty)
                #expect(try await node.machineCount() == 0)
            }
        }

        @Test func aStopThatTheDaemonDiedInIsFinished() async throws {
            try await withFakeNode { node, client in
                let pod = try await client.runPod()
                try await node.stopDaemon()
                try await sqlite(node, "UPDATE pod SET phase = 'stopping'")
                try await node.restartDaemon()
                #expect(try await node.connect().podState(pod) == .SANDBOX_NOTREADY)
                #expect(try await node.machineCount() == 0)
            }
        }

        @Test func aMachineWithoutRecordIsEnded() async throws {
            try await withFakeNode { node, client in
                _ = try await client.runPod()
                try await node.stopDaemon()
                try await sqlite(node, "DELETE FROM pod")
                try await node.restartDaemon()
                #expect(try await node.machineCount() == 0)
            }
        }

        @Test func aRecordThatCannotBeReadIsKeptAndNothingIsCollected() async throws {
            try await withFakeNode { node, client in
                let pod = try await client.runPod()
                try await node.stopDaemon()
                try await sqlite(node, "UPDATE pod SET config = '{nonsense'")
                try await node.restartDaemon()

                let next = try await node.connect()
                let conditions = try await next.call(Methods.status, StatusRequest()).status?.conditions ?? []
                #expect(conditions.contains { $0.type == "RecordsReadable" && !$0.status && $0.message.contains(pod) })
                #expect(try await node.machineCount() == 1)
                await #expect { try await next.removeImage(testImage) } throws: {
                    ($0 as? CarpelError)?.reason == "recordsUnreadable"
                }
                #expect(try await sqlite(node, "SELECT count(*) FROM pod") == "1\n")
            }
        }

        @Test func aStoreThatSQLiteCannotReadIsSetAsideAndNothingIsCollected() async throws {
            try await withFakeNode { node, client in
                _ = try await client.runPod()
                try await node.stopDaemon()
                for suffix in ["-wal", "-shm"] {
                    try? FileManager.default.removeItem(atPath: node.paths.database + suffix)
                }
                try String(repeating: "not a database ", count: 500).write(
                    toFile: node.paths.database, atomically: false, encoding: .utf8)
                try await node.restartDaemon()

                let conditions = try await node.connect().call(Methods.status, StatusRequest()).status?.conditions ?? []
                #expect(conditions.contains { $0.type == "RecordsReadable" && !$0.status })
                #expect(
                    try FileManager.default.contentsOfDirectory(atPath: node.paths.root).contains {
                        $0.contains("unreadable")
                    })
                #expect(try await node.machineCount() == 1)
                // The store that was set aside still counts at the start after that.
                try await node.restartDaemon()
                #expect(try await node.machineCount() == 1)
            }
        }

        /// A guest that keeps its connection but answers no more once made its pod unstoppable, and the next
        /// daemon's start hang.
        @Test(.timeLimit(.minutes(2))) func aGuestThatAnswersNothingCannotKeepItsPod() async throws {
            try await withFakeNode { node, client in
                let pod = try await client.runPod()
                _ = try await client.runContainer(in: pod, containerConfig("a", testImage, ["sleep", "1000"]))
                await node.hypervisor.machines[pod]?.guest.fallSilent()
                try await node.restartDaemon()
                let next = try await node.connect()
                #expect(try await next.podState(pod) == .SANDBOX_NOTREADY)
                try await next.removePod(pod)
                #expect(try await node.machineCount() == 0)
            }
        }

        @Test(.timeLimit(.minutes(2))) func aPodIsStoppedAlthoughItsGuestAnswersNothing() async throws {
            try await withFakeNode { node, client in
                let pod = try await client.runPod()
                _ = try await client.runContainer(in: pod, containerConfig("a", testImage, ["sleep", "1000"]))
                await node.hypervisor.machines[pod]?.guest.fallSilent()
                try await client.stopPod(pod)
                #expect(try await client.podState(pod) == .SANDBOX_NOTREADY)
                #expect(try await node.machineCount() == 0)
            }
        }

        @Test func aStopAndARemovalAtOnceBothEnd() async throws {
            try await withFakeNode { node, client in
                for _ in 0..<10 {
                    let pod = try await client.runPod()
                    let id = try await client.runContainer(in: pod, containerConfig("a", testImage, ["sleep", "1000"]))
                    async let stop: Void = client.stopPod(pod)
                    async let first: Void = client.removeContainer(id)
                    async let second: Void = client.removeContainer(id)
                    async let removal: Void = client.removePod(pod)
                    _ = try? await (stop, first, second, removal)
                    try await client.removePod(pod)
                    let rows = try await sqlite(
                        node, "SELECT (SELECT count(*) FROM pod) + (SELECT count(*) FROM container)")
                    #expect(rows == "0\n")
                    #expect(try await node.machineCount() == 0)
                }
            }
        }

        @discardableResult
        private func sqlite(_ node: FakeNode, _ statement: String) async throws -> String {
            try await shell("sqlite3 \"$1\" \"$2\"", node.paths.database, statement)
        }
    }
}
