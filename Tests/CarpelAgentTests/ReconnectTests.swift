import CarpelCore
import CarpelGuestProtocol
import CarpelRuntime
import Testing

extension AgentTests {
    @Suite(.serialized) struct Reconnect {
        @Test func containersStateAndOutputOutliveTheConnection() async throws {
            let machine = try await TestMachine.boot()
            var guest = machine.guest
            try await guest.call(.configure(TestMachine.configuration()))
            let done = ContainerSpec.shell("echo before; exit 3")
            let running = ContainerSpec.shell("i=0; while :; do i=$((i+1)); echo $i; sleep 0.01; done")
            try await guest.start(done)
            try await guest.start(running)
            _ = try await guest.exec(.shell("exec sleep 5432", in: running.id))
            var output = try await guest.output(of: running.id, from: 0).makeAsyncIterator()
            _ = try await output.next()

            for _ in 0..<5 {
                await guest.close()
                guest = try await machine.connect()
            }
            #expect(try await guest.exitStatus(of: done.id).code == 3)
            #expect(try await guest.finish(done.id).stdout == "before\n")
            guard case .running = try await guest.phase(of: running.id) else {
                Issue.record("the container does not run")
                return
            }
            // Nothing is missing, and nothing comes twice.
            var text: [UInt8] = []
            var next: UInt64 = 0
            for try await record in try await guest.output(of: running.id, from: 0) {
                #expect(record.sequence == next)
                next = record.sequence + 1
                text += record.bytes
                if text.count > 500 { break }
            }
            let numbers = String(decoding: text, as: UTF8.self).split(separator: "\n").dropLast().compactMap { Int($0) }
            #expect(numbers == Array(1...numbers.count))
            // The exec of the first session is gone.
            #expect(try await guest.count("sleep 5432", in: running.id) == 0)
            try await machine.end()
        }

        @Test func aConnectionThatIsCutInTheMiddleOfEverythingDoesNoHarm() async throws {
            let machine = try await TestMachine.boot()
            var guest = machine.guest
            try await guest.call(.configure(TestMachine.configuration()))
            let loud = ContainerSpec.shell("cat /dev/zero")
            try await guest.start(loud)
            for _ in 0..<10 {
                // Data in both directions while the connection goes.
                let process = try await guest.exec(.shell("cat", in: loud.id, stdin: true))
                let writing = Task { while true { try await process.write([UInt8](repeating: 1, count: 100_000)) } }
                let reading = Task { for try await _ in process.output {} }
                let records = try await guest.output(of: loud.id, from: 0)
                for try await record in records where record.sequence > 3 { break }
                await guest.close()
                _ = await writing.result
                _ = await reading.result
                guest = try await machine.connect()
            }
            #expect(try await guest.count("cat", in: loud.id) == 1)
            try await machine.end()
        }

        /// The news that the port is open and the bytes of the HELLO come on two queues: in a few of these the agent
        /// reads the HELLO first. It used to take that for a leftover, and the host waited in vain.
        @Test func everyReconnectIsAnsweredHoweverLongTheHostWasAway() async throws {
            let machine = try await TestMachine.boot()
            var guest = machine.guest
            for _ in 0..<40 {
                await guest.close()
                // Not to wait for something: the length of the absence is what is tried here.
                try await Task.sleep(for: .milliseconds(Int.random(in: 0...60)))
                guest = try await machine.connect()
                guard case .state = try await guest.call(.state) else {
                    Issue.record("no state")
                    break
                }
            }
            try await machine.end()
        }

        @Test func aSlowHostMakesTheContainerWaitAndAnAbsentOneDoesNot() async throws {
            let machine = try await TestMachine.boot()
            var guest = machine.guest
            try await guest.call(.configure(TestMachine.configuration()))
            let spec = ContainerSpec.shell("head -c 3000000 /dev/zero; echo finished; exit 8")
            try await guest.start(spec)
            // Nobody reads: the container fills the buffer and waits.
            var next: UInt64 = 0
            var previous: UInt64 = .max
            while next != previous {
                previous = next
                _ = try await guest.run(.shell("sleep 0.2", in: spec.id))
                next = try await nextOutput(of: spec.id, guest)
            }
            guard case .running = try await guest.phase(of: spec.id) else {
                Issue.record("the container did not wait")
                return
            }
            await guest.close()
            // With the host away it goes on, and its oldest output is gone. While this asks, the host is there and the
            // container waits again.
            repeat {
                await guest.close()
                guest = try await machine.connect()
                previous = next
                next = try await nextOutput(of: spec.id, guest)
            } while next != previous
            let finished = try await guest.finish(spec.id)
            #expect(finished.status.code == 8)
            #expect(finished.stdout.hasSuffix("finished\n"))
            try await machine.end()
        }

        private func nextOutput(of id: String, _ guest: GuestConnection) async throws -> UInt64 {
            guard case .state(let state) = try await guest.call(.state) else { return 0 }
            return state.containers.first { $0.id == id }?.nextOutput ?? 0
        }
    }
}
