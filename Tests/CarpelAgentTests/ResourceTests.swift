import CarpelGuestProtocol
import Testing

extension AgentTests {
    @Suite(.sharedMachine, .serialized) struct Resources {
        @Test func memoryBeyondTheLimitIsAnOutOfMemoryKill() async throws {
            let guest = try sharedGuest()
            var events = guest.events.makeAsyncIterator()
            var spec = ContainerSpec.program(["dd", "if=/dev/zero", "of=/dev/null", "bs=60M", "count=1"])
            spec.resources.memoryLimit = 20 << 20
            let finished = try await guest.run(spec)
            #expect(finished.status.outOfMemory)
            #expect(finished.status.code == 137)
            var sawEvent = false
            while !sawEvent, let event = await events.next() { sawEvent = event == .containerOutOfMemory(id: spec.id) }
            #expect(sawEvent)
        }

        @Test func aForkBombStaysWithinItsProcessLimit() async throws {
            let finished = try await run(
                "bomb() { bomb & bomb; }; bomb 2>/dev/null & sleep 0.5; cat /sys/fs/cgroup/pids.peak /sys/fs/cgroup/pids.max; exit 4"
            ) {
                $0.resources.processLimit = 12
            }
            #expect(finished.status.code == 4 || finished.status.code == 2)
            #expect(try await run("echo alive").stdout == "alive\n")
        }

        @Test func resourcesAreTheCgroupsAndCanBeUpdated() async throws {
            let guest = try sharedGuest()
            var spec = ContainerSpec.shell("exec sleep 1000")
            spec.resources.cpuWeight = 50
            spec.resources.cpuQuota = 20_000
            spec.resources.cpuPeriod = 50_000
            spec.resources.memoryLimit = 64 << 20
            spec.resources.swapLimit = 0
            spec.resources.processLimit = 33
            spec.resources.unified = ["memory.high": "50331648"]
            try await guest.start(spec)
            let files = """
                cd /sys/fs/cgroup; cat cpu.weight cpu.max memory.max pids.max memory.high
                cat memory.swap.max 2>/dev/null || echo 0
                """
            let before = try await guest.run(.shell(files, in: spec.id))
            #expect(before.stdout == "50\n20000 50000\n67108864\n33\n50331648\n0\n")

            var update = ContainerResources()
            update.memoryLimit = 32 << 20
            update.cpuQuota = -1
            try await guest.call(.updateResources(id: spec.id, resources: update))
            let after = try await guest.run(.shell(files, in: spec.id))
            #expect(after.stdout == "50\nmax 100000\n33554432\n33\n50331648\n0\n")
            try await guest.call(.removeContainer(id: spec.id))
        }

        @Test func aResourceThatTheKernelDoesNotTakeFailsTheCreation() async throws {
            for name in ["memory.nothing", "cgroup.kill", "../x"] {
                let reason = await failure { _ = try await run("true") { $0.resources.unified = [name: "1"] } }
                #expect(reason == .cgroupFailed || reason == .invalidArgument)
            }
        }

        @Test func theScoreForTheOutOfMemoryKillerIsSet() async throws {
            let finished = try await run("cat /proc/self/oom_score_adj") { $0.oomScoreAdjustment = 123 }
            #expect(finished.stdout == "123\n")
        }
    }
}
