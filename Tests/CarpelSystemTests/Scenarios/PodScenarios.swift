import CarpelAPI
import CarpelClient
import CarpelCore
import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// What holds for pods on machines of either kind.
    @Suite(.serialized) struct PodScenarios {
        @Test(arguments: WorldKind.allCases) func aPodLivesAndLeavesNothing(_ kind: WorldKind) async throws {
            try await withWorld(kind) { world, client in
                let id = try await client.runPod()
                #expect(try await client.podState(id) == .SANDBOX_READY)
                try await client.stopPod(id)
                try await client.stopPod(id)
                #expect(try await client.podState(id) == .SANDBOX_NOTREADY)
                #expect(!FileManager.default.fileExists(atPath: world.paths.scratchDisk(id)))
                try await client.removePod(id)
                try await client.removePod(id)
                let pods = try await client.pods()
                #expect(pods.isEmpty)
                #expect(try FileManager.default.contentsOfDirectory(atPath: world.paths.pods).isEmpty)
                #expect(try FileManager.default.contentsOfDirectory(atPath: world.paths.podStates).isEmpty)
            }
        }

        @Test(arguments: WorldKind.allCases) func aRepeatedRunJoinsTheFirst(_ kind: WorldKind) async throws {
            try await withWorld(kind) { world, client in
                let retry = try await world.connect()
                async let first = client.runPod()
                async let second = retry.runPod()
                let ids = try await [first, second, client.runPod()]
                #expect(Set(ids).count == 1)
                #expect(try await world.machineCount() == 1)
                await #expect { try await client.runPod(podConfig { $0.hostname = "other" }) } throws: {
                    ($0 as? CarpelError)?.reason == "podNameTaken"
                }
                try await client.stopPod(ids[0])
                await #expect { try await client.runPod() } throws: { ($0 as? CarpelError)?.reason == "podNameTaken" }
            }
        }

        @Test(arguments: WorldKind.allCases) func stopDuringBootReleasesEverything(_ kind: WorldKind) async throws {
            try await withWorld(kind) { world, client in
                await (world as? FakeNode)?.hypervisor.holdStarts()
                let running = Task { try await client.runPod() }
                try await eventually("the boot has begun") {
                    if let fake = world as? FakeNode { return await fake.hypervisor.startsBegun > 0 }
                    return try await world.machineCount() > 0
                }
                let id = try #require(try await client.pods().first?.id)
                try await client.stopPod(id)
                await #expect { try await running.value } throws: { ($0 as? CarpelError)?.code == .cancelled }
                let pods = try await client.pods()
                #expect(pods.isEmpty)
                #expect(try FileManager.default.contentsOfDirectory(atPath: world.paths.pods).isEmpty)
                #expect(try await world.machineCount() == 0)
            }
        }

        @Test(arguments: WorldKind.allCases) func containersComeAndGoInOrder(_ kind: WorldKind) async throws {
            try await withWorld(kind) { world, client in
                let pod = try await client.runPod()
                let config = containerConfig("a", testImage, ["sleep", "1000"])
                let created = try await client.createContainer(in: pod, config)
                #expect(try await client.createContainer(in: pod, config) == created)
                #expect(try await client.containerStatus(created).state == .CONTAINER_CREATED)
                try await client.startContainer(created)
                let running = try await client.containerStatus(created)
                #expect(running.state == .CONTAINER_RUNNING && running.startedAt > 0)
                await #expect { try await client.startContainer(created) } throws: {
                    ($0 as? CarpelError)?.reason == "containerNotCreated"
                }
                await #expect {
                    try await client.createContainer(in: pod, containerConfig("a", testImage, ["other"]))
                } throws: {
                    ($0 as? CarpelError)?.reason == "containerNameTaken"
                }

                let exiting = try await client.runContainer(
                    in: pod, containerConfig("b", testImage, world.command(exitingWith: 3)))
                let exited = try await client.exit(of: exiting)
                #expect(exited.exitCode == 3 && exited.reason == "Error" && exited.finishedAt >= exited.startedAt)

                try await client.stopContainer(created, timeout: 0)
                #expect(try await client.containerStatus(created).exitCode == 137)
                try await client.removeContainer(created)
                try await client.removeContainer(created)
                #expect(try await client.containers().map(\.id) == [exiting])
            }
        }

        @Test(arguments: WorldKind.allCases) func aCommandThatIsNotThereExitsWith127(_ kind: WorldKind) async throws {
            try await withWorld(kind) { _, client in
                let pod = try await client.runPod()
                let id = try await client.createContainer(in: pod, containerConfig("a", testImage, ["missing"]))
                await #expect { try await client.startContainer(id) } throws: {
                    ($0 as? CarpelError)?.reason == "commandNotFound"
                }
                let status = try await client.containerStatus(id)
                #expect(status.state == .CONTAINER_EXITED && status.exitCode == 127 && status.reason == "StartError")
            }
        }

        @Test(arguments: WorldKind.allCases) func aDeadMachineLeavesThePodNotReadyWithAReason(_ kind: WorldKind)
            async throws
        {
            try await withWorld(kind) { world, client in
                let pod = try await client.runPod()
                let id = try await client.runContainer(in: pod, containerConfig("a", testImage, ["sleep", "1000"]))
                try await world.killMachine(of: pod)
                let status = try await client.exit(of: id)
                #expect(status.exitCode == 255 && status.reason == "MachineFailed")
                try await eventually("the pod is not ready") { try await client.podState(pod) == .SANDBOX_NOTREADY }
                #expect(try await client.podStatus(pod).info["machine"]?.contains("the machine ended") == true)
                await #expect {
                    try await client.createContainer(in: pod, containerConfig("b", testImage, ["x"]))
                } throws: {
                    ($0 as? CarpelError)?.reason == "podNotReady"
                }
            }
        }

        @Test(arguments: WorldKind.allCases) func aNewDaemonPicksUpWhatRuns(_ kind: WorldKind) async throws {
            try await withWorld(kind) { world, client in
                let pod = try await client.runPod()
                let running = try await client.runContainer(
                    in: pod, containerConfig("a", testImage, ["sleep", "1000"]))
                let created = try await client.createContainer(
                    in: pod, containerConfig("b", testImage, ["sleep", "1000"]))
                let before = try await client.podStatus(pod)

                try await world.restartDaemon()
                let next = try await world.connect()
                let after = try await next.podStatus(pod)
                #expect(after.status == before.status)
                #expect(after.containersStatuses == before.containersStatuses)
                #expect(try await next.runPod() == pod)
                try await next.startContainer(created)
                try await next.stopContainer(running, timeout: 0)
                #expect(try await next.containerStatus(running).exitCode == 137)
            }
        }
    }
}
