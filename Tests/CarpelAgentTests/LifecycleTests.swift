import CarpelGuestProtocol
import CarpelRuntime
import Testing

extension AgentTests {
    @Suite(.sharedMachine, .serialized) struct Lifecycle {
        @Test func aContainerRunsAndTellsItsExitCode() async throws {
            let finished = try await run("echo out; echo err >&2; exit 7")
            #expect(finished.status.code == 7)
            #expect(finished.stdout == "out\n")
            #expect(finished.stderr == "err\n")
            #expect(finished.status.outOfMemory == false)
        }

        @Test func aProcessThatASignalEndsExitsWith128AndTheSignal() async throws {
            let guest = try sharedGuest()
            let spec = ContainerSpec.program(["sleep", "100"])
            try await guest.start(spec)
            // The first process of a pid namespace has no default actions but that of SIGKILL.
            try await guest.call(.signalContainer(id: spec.id, signal: 9, everyProcess: false))
            #expect(try await guest.finish(spec.id).status.code == 137)
            try await guest.call(.removeContainer(id: spec.id))
        }

        @Test func aSignalReachesEveryProcess() async throws {
            let guest = try sharedGuest()
            let spec = ContainerSpec.shell(
                """
                sh -c 'trap "echo child; exit" TERM; echo ready; while :; do sleep 0.05; done' &
                trap 'wait; exit 3' TERM
                while :; do sleep 0.05; done
                """)
            try await guest.start(spec)
            var output = try await guest.output(of: spec.id, from: 0).makeAsyncIterator()
            #expect(try await output.next()?.bytes == Array("ready\n".utf8))
            try await guest.call(.signalContainer(id: spec.id, signal: 15, everyProcess: true))
            let finished = try await guest.finish(spec.id)
            #expect(finished.stdout == "ready\nchild\n")
            #expect(finished.status.code == 3)
            try await guest.call(.removeContainer(id: spec.id))
        }

        @Test func anExitIsAnEvent() async throws {
            let guest = try sharedGuest()
            var events = guest.events.makeAsyncIterator()
            let spec = ContainerSpec.shell("exit 5")
            try await guest.start(spec)
            while let event = await events.next() {
                guard case .containerExited(spec.id, let status) = event else { continue }
                #expect(status.code == 5)
                break
            }
            try await guest.call(.removeContainer(id: spec.id))
        }

        @Test func startingTwiceIsRefused() async throws {
            let guest = try sharedGuest()
            let spec = ContainerSpec.shell("exit 0")
            try await guest.start(spec)
            #expect(await failure { try await guest.call(.startContainer(id: spec.id)) } == .invalidState)
            #expect(await failure { try await guest.call(.createContainer(spec)) } == .alreadyExists)
            try await guest.call(.removeContainer(id: spec.id))
            #expect(await failure { try await guest.call(.startContainer(id: spec.id)) } == .notFound)
            // Removing what is not there succeeds.
            try await guest.call(.removeContainer(id: spec.id))
        }

        @Test func aRunningContainerIsRemovedWithAllItsProcesses() async throws {
            let guest = try sharedGuest()
            let spec = ContainerSpec.shell("for i in 1 2 3 4 5 6 7 8; do sleep 1000 & done; wait")
            try await guest.start(spec)
            try await guest.call(.removeContainer(id: spec.id))
            #expect(try await guest.phase(of: spec.id) == nil)
            // Everything is gone: the same id can be used again.
            #expect(try await guest.run(.shell("echo again", id: spec.id)).stdout == "again\n")
        }

        @Test func commandsThatCannotRunAreToldApart() async throws {
            let guest = try sharedGuest()
            #expect(await failure { _ = try await guest.run(.program(["nothing-like-it"])) } == .commandNotFound)
            #expect(await failure { _ = try await guest.run(.program(["/bin/nothing"])) } == .commandNotFound)
            #expect(await failure { _ = try await guest.run(.program(["/bin/data"])) } == .commandNotExecutable)
            #expect(await failure { _ = try await guest.run(.program(["/bin/text"])) } == .commandNotExecutable)
            #expect(await failure { _ = try await guest.run(.program(["/etc"])) } == .commandNotExecutable)
        }

        @Test func aFailedStartLeavesTheContainerCreated() async throws {
            let guest = try sharedGuest()
            let spec = ContainerSpec.program(["nothing-like-it"])
            try await guest.call(.createContainer(spec))
            #expect(await failure { try await guest.call(.startContainer(id: spec.id)) } == .commandNotFound)
            #expect(try await guest.phase(of: spec.id) == .created)
            try await guest.call(.removeContainer(id: spec.id))
        }

        @Test func aMissingDiskIsToldByItsSerial() async throws {
            let guest = try sharedGuest()
            var spec = ContainerSpec.shell("true")
            spec.layers = ["no-such-layer"]
            do {
                try await guest.call(.createContainer(spec))
                Issue.record("created without a disk")
            } catch let failure as GuestFailure {
                #expect(failure.reason == .diskMissing)
                #expect(failure.message.contains("no-such-layer"))
            }
        }

        @Test func aLayerThatIsPluggedWhileTheContainerIsCreatedIsWaitedFor() async throws {
            let machine = try #require(TestMachine.shared)
            var spec = ContainerSpec.shell("cat /usr/share/who")
            spec.layers = [TestMachine.baseLayer, TestMachine.extraLayer]
            async let finished = machine.guest.run(spec)
            try await machine.plugExtraLayer()
            #expect(try await finished.stdout == "upper\n")
        }

        @Test func configuringAgainDoesNothingAndAnotherPodIsRefused() async throws {
            let guest = try sharedGuest()
            try await guest.call(.configure(TestMachine.configuration()))
            var other = TestMachine.configuration()
            other.hostname = "somebody-else"
            let changed = other
            let reason = await failure { try await guest.call(.configure(changed)) }
            #expect(reason == .invalidState)
        }

        @Test func stdinCanBeAttachedAndGivenBack() async throws {
            let guest = try sharedGuest()
            var spec = ContainerSpec.program(["cat"])
            spec.stdin = true
            try await guest.start(spec)
            let first = try await guest.attachInput(to: spec.id, closeAtEnd: false)
            try await first.write(Array("one\n".utf8))
            #expect(
                await failure { _ = try await guest.attachInput(to: spec.id, closeAtEnd: true) } == .alreadyExists)
            try await first.end()
            let second = try await guest.attachInput(to: spec.id, closeAtEnd: true)
            try await second.write(Array("two\n".utf8))
            try await second.end()
            #expect(try await guest.finish(spec.id).stdout == "one\ntwo\n")
            try await guest.call(.removeContainer(id: spec.id))
        }

        @Test func aTerminalIsOneAndHasASize() async throws {
            let guest = try sharedGuest()
            var spec = ContainerSpec.shell("test -t 0 && test -t 1 && tty && echo control > /dev/tty")
            spec.process.terminal = true
            let finished = try await guest.run(spec)
            #expect(finished.status.code == 0)
            #expect(finished.stdout == "/dev/pts/0\r\ncontrol\r\n")
        }
    }
}
