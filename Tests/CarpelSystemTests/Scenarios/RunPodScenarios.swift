import CarpelAPI
import CarpelClient
import CarpelCore
import Foundation
import TestSupport
import Testing

extension SystemTests {
    @Suite(.serialized) struct RunPodScenarios {
        private let first = containerConfig("first", testImage, ["sleep", "1000"])
        private let second = containerConfig("second", testImage, ["sleep", "1000"])

        @Test(arguments: WorldKind.allCases) func aPodRunsWithItsContainersInOneCall(_ kind: WorldKind) async throws {
            try await withWorld(kind) { world, client in
                let retry = try await world.connect()
                async let one = client.runPod(podConfig(), [first, second])
                async let other = retry.runPod(podConfig(), [first, second])
                let answers = try await [one, other, client.runPod(podConfig(), [first, second])]
                #expect(Set(answers.map(\.podSandboxId)).count == 1 && Set(answers.map(\.containerIds)).count == 1)
                #expect(try await world.machineCount() == 1)
                #expect(try await client.runPod() == answers[0].podSandboxId)

                var starts: [Int64] = []
                for (id, config) in zip(answers[0].containerIds, [first, second]) {
                    let status = try await client.containerStatus(id)
                    #expect(status.state == .CONTAINER_RUNNING && status.metadata == config.metadata)
                    starts.append(status.startedAt)
                }
                #expect(starts == starts.sorted() && starts.count == 2)
                let changed = containerConfig("second", testImage, ["sleep", "1001"])
                await #expect { try await client.runPod(podConfig(), [first, changed]) } throws: {
                    ($0 as? CarpelError)?.reason == "podNameTaken"
                }
                try await client.stopPod(answers[0].podSandboxId)
                await #expect { try await client.runPod(podConfig(), [first, second]) } throws: {
                    ($0 as? CarpelError)?.reason == "podNameTaken"
                }
            }
        }

        @Test(arguments: WorldKind.allCases) func aContainerThatDoesNotStartTakesThePodWithIt(_ kind: WorldKind)
            async throws
        {
            try await withWorld(kind) { world, client in
                await #expect {
                    try await client.runPod(podConfig(), [first, containerConfig("second", testImage, ["missing"])])
                } throws: {
                    ($0 as? CarpelError)?.reason == "commandNotFound"
                }
                try await expectNothing(on: world, client)
                // The name is free again.
                _ = try await client.runPod(podConfig(), [first, second])
            }
        }

        /// CRI's supplementalGroupsPolicy, which Status announces, promises it.
        @Test func theStatusTellsWhoAContainerRunsAs() async throws {
            try await withWorld(.realMachines) { world, client in
                let config = containerConfig("main", testImage, ["sleep", "1000"]) {
                    $0.linux = LinuxContainerConfig {
                        $0.securityContext = LinuxContainerSecurityContext {
                            $0.runAsUser = Int64Value { $0.value = 1234 }
                            $0.runAsGroup = Int64Value { $0.value = 2345 }
                            $0.supplementalGroups = [3456]
                        }
                    }
                }
                let id = try await client.runPod(podConfig(), [config]).containerIds[0]
                let user = try await client.containerStatus(id).user?.linux
                #expect(user?.uid == 1234 && user?.gid == 2345)
                #expect(user?.supplementalGroups.contains(3456) == true)
                // The next daemon asks again.
                try await world.restartDaemon()
                let next = try await world.connect()
                #expect(try await next.containerStatus(id).user?.linux == user)
            }
        }

        /// Otherwise a machine would be started for nothing.
        @Test func whatCanBeKnownBeforeIsToldBeforeAnythingIsMade() async throws {
            let nameless = containerConfig("", testImage, ["a"])
            let imageless = containerConfig("second", "missing:1", ["a"])
            try await withFakeNode { node, client in
                for (containers, reason, field) in [
                    ([], "fieldMissing", "containerConfigs"),
                    ([first, nameless], "fieldMissing", "containerConfigs[1].metadata.name"),
                    ([first, imageless], "imageNotFound", "containerConfigs[1].image.image"),
                    ([first, first], "containerNameTaken", "containerConfigs[1].metadata"),
                ] {
                    await #expect { try await client.runPod(podConfig(), containers) } throws: {
                        ($0 as? CarpelError)?.reason == reason && ($0 as? CarpelError)?.field == field
                    }
                }
                #expect(await node.hypervisor.startsBegun == 0)
            }
        }

        @Test func aStopEndsARunInItsMiddle() async throws {
            try await withFakeNode { node, client in
                let running = Task {
                    try await client.runPod(podConfig(), [first, containerConfig("second", testImage, ["stuck"])])
                }
                try await eventually("the second container is being made") {
                    try await client.containers().count == 2
                }
                // A daemon that died now would undo it at its next start.
                let phase = try await shell("sqlite3 \"$1\" 'SELECT phase FROM pod'", node.paths.database)
                #expect(phase == "creating\n")
                let pod = try #require(try await client.pods().first?.id)
                try await client.stopPod(pod)
                await #expect { try await running.value } throws: { ($0 as? CarpelError)?.code == .cancelled }
                try await expectNothing(on: node, client)
            }
        }

        @Test func aMachineThatDiesInTheMiddleOfARunTakesThePodWithIt() async throws {
            try await withFakeNode { node, client in
                let running = Task {
                    try await client.runPod(podConfig(), [first, containerConfig("second", testImage, ["stuck"])])
                }
                try await eventually("the second container is being made") {
                    try await client.containers().count == 2
                }
                try await node.killMachine(of: try #require(try await client.pods().first?.id))
                await #expect { try await running.value } throws: { ($0 as? CarpelError)?.reason == "machineEnded" }
                try await expectNothing(on: node, client)
            }
        }

        private func expectNothing(on world: any World, _ client: CarpelClient) async throws {
            let (pods, containers) = try await (client.pods(), client.containers())
            #expect(pods.isEmpty && containers.isEmpty)
            #expect(try await world.machineCount() == 0)
            #expect(try FileManager.default.contentsOfDirectory(atPath: world.paths.pods).isEmpty)
            #expect(try FileManager.default.contentsOfDirectory(atPath: world.paths.podStates).isEmpty)
        }
    }
}
