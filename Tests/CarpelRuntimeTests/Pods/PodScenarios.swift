import CarpelAPI
import CarpelCore
import Foundation
import Testing
import TestSupport

@testable import CarpelRuntime

@Suite(.serialized) struct PodScenarios {
    private func request(_ name: String = "web", _ set: (inout PodSandboxConfig) -> Void = { _ in }) -> RunPodSandboxRequest {
        RunPodSandboxRequest {
            var config = PodSandboxConfig { $0.metadata = PodSandboxMetadata { $0.name = name; $0.uid = "u" } }
            set(&config)
            $0.config = config
        }
    }

    private func container(_ name: String, _ world: World, _ command: [String]) -> ContainerConfig {
        ContainerConfig {
            $0.metadata = ContainerMetadata { $0.name = name }
            $0.image = ImageSpec { $0.image = world.image }
            $0.command = command
        }
    }

    private func create(_ config: ContainerConfig, in pod: String, _ runtime: Runtime) async throws -> String {
        try await runtime.createContainer(
            CreateContainerRequest {
                $0.podSandboxId = pod
                $0.config = config
            }
        ).containerId
    }

    private func start(_ config: ContainerConfig, in pod: String, _ runtime: Runtime) async throws -> String {
        let id = try await create(config, in: pod, runtime)
        _ = try await runtime.startContainer(StartContainerRequest { $0.containerId = id })
        return id
    }

    private func status(_ id: String, _ runtime: Runtime) async throws -> ContainerStatus {
        try #require(try await runtime.containerStatus(ContainerStatusRequest { $0.containerId = id }).status)
    }

    private func podState(_ id: String, _ runtime: Runtime) async throws -> PodSandboxState? {
        try await runtime.podSandboxStatus(PodSandboxStatusRequest { $0.podSandboxId = id }).status?.state
    }

    private func stop(_ id: String, _ runtime: Runtime) async throws {
        _ = try await runtime.stopPodSandbox(StopPodSandboxRequest { $0.podSandboxId = id })
    }

    private func remove(_ id: String, _ runtime: Runtime) async throws {
        _ = try await runtime.removePodSandbox(RemovePodSandboxRequest { $0.podSandboxId = id })
    }

    @Test(arguments: WorldKind.allCases) func aPodLivesAndLeavesNothing(_ kind: WorldKind) async throws {
        try await World.with(kind) { world, runtime in
            let id = try await runtime.runPodSandbox(request()).podSandboxId
            #expect(try await podState(id, runtime) == .SANDBOX_READY)
            try await stop(id, runtime)
            try await stop(id, runtime)
            #expect(try await podState(id, runtime) == .SANDBOX_NOTREADY)
            #expect(!FileManager.default.fileExists(atPath: world.paths.scratchDisk(id)))
            try await remove(id, runtime)
            try await remove(id, runtime)
            #expect(try await runtime.listPodSandbox(ListPodSandboxRequest()).items.isEmpty)
            #expect(try FileManager.default.contentsOfDirectory(atPath: world.paths.pods).isEmpty)
            #expect(try FileManager.default.contentsOfDirectory(atPath: world.paths.podStates).isEmpty)
        }
    }

    @Test(arguments: WorldKind.allCases) func aRepeatedRunJoinsTheFirst(_ kind: WorldKind) async throws {
        try await World.with(kind) { _, runtime in
            async let first = runtime.runPodSandbox(request())
            async let second = runtime.runPodSandbox(request())
            let ids = try await [first.podSandboxId, second.podSandboxId, runtime.runPodSandbox(request()).podSandboxId]
            #expect(Set(ids).count == 1)
            #expect(try await runtime.listPodSandbox(ListPodSandboxRequest()).items.count == 1)
            await #expect { try await runtime.runPodSandbox(request { $0.hostname = "other" }) } throws: {
                ($0 as? CarpelError)?.reason == "podNameTaken"
            }
        }
    }

    @Test(arguments: WorldKind.allCases) func stopDuringBootReleasesEverything(_ kind: WorldKind) async throws {
        try await World.with(kind) { world, runtime in
            let gate = Latch<Void>()
            await world.fake?.holdStarts(until: gate)
            let running = Task { try await runtime.runPodSandbox(request()) }
            try await eventually("the boot has begun") {
                guard let fake = world.fake else {
                    return try await runtime.listPodSandbox(ListPodSandboxRequest()).items.first.map {
                        FileManager.default.fileExists(atPath: world.paths.bootLog($0.id))
                    } ?? false
                }
                return await fake.startsBegun > 0
            }
            let id = try #require(try await runtime.listPodSandbox(ListPodSandboxRequest()).items.first?.id)
            let started = ContinuousClock.now
            try await stop(id, runtime)
            #expect(ContinuousClock.now - started < .seconds(10))
            await #expect { try await running.value } throws: { ($0 as? CarpelError)?.code == .cancelled }
            #expect(try await runtime.listPodSandbox(ListPodSandboxRequest()).items.isEmpty)
            #expect(try FileManager.default.contentsOfDirectory(atPath: world.paths.pods).isEmpty)
            #expect(try await runtime.environment.hypervisor.reattach().isEmpty)
        }
    }

    @Test(arguments: WorldKind.allCases) func containersComeAndGoInOrder(_ kind: WorldKind) async throws {
        try await World.with(kind) { world, runtime in
            let pod = try await runtime.runPodSandbox(request()).podSandboxId
            let created = try await create(container("a", world, world.longCommand), in: pod, runtime)
            #expect(try await create(container("a", world, world.longCommand), in: pod, runtime) == created)
            #expect(try await status(created, runtime).state == .CONTAINER_CREATED)
            _ = try await runtime.startContainer(StartContainerRequest { $0.containerId = created })
            let running = try await status(created, runtime)
            #expect(running.state == .CONTAINER_RUNNING && running.startedAt > 0)
            await #expect { try await runtime.startContainer(StartContainerRequest { $0.containerId = created }) } throws: {
                ($0 as? CarpelError)?.reason == "containerNotCreated"
            }
            await #expect { try await create(container("a", world, ["other"]), in: pod, runtime) } throws: {
                ($0 as? CarpelError)?.reason == "containerNameTaken"
            }
            let exiting = try await start(container("b", world, world.command(exitingWith: 3)), in: pod, runtime)
            try await eventually("b exits") { try await status(exiting, runtime).state == .CONTAINER_EXITED }
            let exited = try await status(exiting, runtime)
            #expect(exited.exitCode == 3 && exited.reason == "Error" && exited.finishedAt >= exited.startedAt)

            _ = try await runtime.stopContainer(StopContainerRequest { $0.containerId = created; $0.timeout = 0 })
            #expect(try await status(created, runtime).exitCode == 137)
            for _ in 0..<2 {
                _ = try await runtime.removeContainer(RemoveContainerRequest { $0.containerId = created })
            }
            let left = try await runtime.listContainers(ListContainersRequest()).containers
            #expect(left.map(\.id) == [exiting])
        }
    }

    @Test(arguments: WorldKind.allCases) func aCommandThatIsNotThereExitsWith127(_ kind: WorldKind) async throws {
        try await World.with(kind) { world, runtime in
            let pod = try await runtime.runPodSandbox(request()).podSandboxId
            let id = try await create(container("a", world, ["missing"]), in: pod, runtime)
            await #expect { try await runtime.startContainer(StartContainerRequest { $0.containerId = id }) } throws: {
                ($0 as? CarpelError)?.reason == "commandNotFound"
            }
            let status = try await status(id, runtime)
            #expect(status.state == .CONTAINER_EXITED && status.exitCode == 127 && status.reason == "StartError")
        }
    }

    @Test(arguments: WorldKind.allCases) func aDeadMachineLeavesThePodNotReadyWithAReason(_ kind: WorldKind) async throws {
        try await World.with(kind) { world, runtime in
            let pod = try await runtime.runPodSandbox(request()).podSandboxId
            let id = try await start(container("a", world, world.longCommand), in: pod, runtime)
            if let fake = world.fake {
                await fake.machines[pod]?.die()
            } else {
                let machine = try #require(try await runtime.environment.hypervisor.reattach().first)
                kill(machine.processID, SIGKILL)
            }
            try await eventually("the pod is not ready") { try await podState(pod, runtime) == .SANDBOX_NOTREADY }
            let status = try await status(id, runtime)
            #expect(status.state == .CONTAINER_EXITED && status.exitCode == 255 && status.reason == "MachineFailed")
            await #expect { try await create(container("b", world, ["x"]), in: pod, runtime) } throws: {
                ($0 as? CarpelError)?.reason == "podNotReady"
            }
        }
    }

    @Test(arguments: WorldKind.allCases) func aNewDaemonPicksUpWhatRuns(_ kind: WorldKind) async throws {
        try await World.with(kind) { world, runtime in
            let pod = try await runtime.runPodSandbox(request()).podSandboxId
            let id = try await start(container("a", world, world.longCommand), in: pod, runtime)
            let before = try await status(id, runtime)
            await runtime.close()

            let next = try await world.startRuntime()
            #expect(try await podState(pod, next) == .SANDBOX_READY)
            #expect(try await status(id, next) == before)
            #expect(try await next.runPodSandbox(request()).podSandboxId == pod)
            await next.close()
        }
    }
}

@Suite struct PodFailures {
    private let request = RunPodSandboxRequest {
        $0.config = PodSandboxConfig { $0.metadata = PodSandboxMetadata { $0.name = "web" } }
    }

    @Test func aFailedStepUndoesThoseBeforeIt() async throws {
        try await World.with(.fakeMachines) { world, runtime in
            let fake = try #require(world.fake)
            await fake.silenceGuests()
            await #expect { try await runtime.runPodSandbox(request) } throws: { ($0 as? CarpelError)?.reason == "agentSilent" }
            #expect(try await runtime.listPodSandbox(ListPodSandboxRequest()).items.isEmpty)
            #expect(await fake.machines.isEmpty)
            #expect(try FileManager.default.contentsOfDirectory(atPath: world.paths.pods).isEmpty)
        }
    }

    @Test func whatCannotBeUndoneIsKeptForTheRetry() async throws {
        try await World.with(.fakeMachines) { world, runtime in
            let fake = try #require(world.fake)
            await fake.silenceGuests()
            await fake.failDestroying(times: 1)
            await #expect(throws: CarpelError.self) { try await runtime.runPodSandbox(request) }
            let id = try #require(try await runtime.listPodSandbox(ListPodSandboxRequest()).items.first?.id)
            #expect(await fake.machines.count == 1)
            _ = try await runtime.removePodSandbox(RemovePodSandboxRequest { $0.podSandboxId = id })
            #expect(await fake.machines.isEmpty)
            #expect(try await runtime.listPodSandbox(ListPodSandboxRequest()).items.isEmpty)
        }
    }

    @Test func aPodThatWasHalfMadeWhenTheDaemonDiedIsUndone() async throws {
        try await World.with(.fakeMachines) { world, runtime in
            let fake = try #require(world.fake)
            let id = try await runtime.runPodSandbox(request).podSandboxId
            let pod = try await runtime.requirePod(id)
            try await pod.updateRecord { $0.phase = .creating }

            let next = try await world.startRuntime()
            #expect(try await next.listPodSandbox(ListPodSandboxRequest()).items.isEmpty)
            #expect(await fake.machines.isEmpty)
        }
    }

    @Test func aRecordThatCannotBeReadIsKeptAndNothingIsCollected() async throws {
        try await World.with(.fakeMachines) { world, runtime in
            let fake = try #require(world.fake)
            _ = try await runtime.runPodSandbox(request)
            try await shell("sqlite3 \"$1\" \"UPDATE pod SET config = '{nonsense'\"", world.paths.database)

            let next = try await world.startRuntime()
            let conditions = try next.status(StatusRequest()).status?.conditions
            #expect(conditions?.first { $0.type == "RecordsReadable" }?.status == false)
            #expect(await fake.machines.count == 1)
            await #expect { try await next.removeImage(RemoveImageRequest { $0.image = ImageSpec { $0.image = world.image } }) } throws: {
                ($0 as? CarpelError)?.reason == "recordsUnreadable"
            }
            try await shell("sqlite3 \"$1\" \"UPDATE pod SET config = '{\\\"metadata\\\":{\\\"name\\\":\\\"web\\\"}}'\"", world.paths.database)
        }
    }

    @Test func aStoreThatSQLiteCannotReadIsSetAside() async throws {
        try await World.with(.fakeMachines) { world, _ in
            for suffix in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: world.paths.database + suffix) }
            try "not a database, but long enough to be taken for one".write(
                toFile: world.paths.database, atomically: false, encoding: .utf8)
            let next = try await world.startRuntime()
            let unreadable = next.environment.store.unreadable
            #expect(unreadable.count == 1)
            let kept = try FileManager.default.contentsOfDirectory(atPath: world.paths.root).filter { $0.contains("unreadable") }
            #expect(kept.count == 1)
        }
    }
}
