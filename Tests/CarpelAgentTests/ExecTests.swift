import CarpelGuestProtocol
import CarpelRuntime
import Crypto
import Foundation
import Testing

extension AgentTests {
    @Suite(.sharedMachine, .serialized) struct Exec {
        private func inContainer(_ body: (GuestConnection, String) async throws -> Void) async throws {
            let guest = try sharedGuest()
            let spec = ContainerSpec.shell("echo here > /tmp/mark; echo ready; exec sleep 1000")
            try await guest.start(spec)
            for try await _ in try await guest.output(of: spec.id, from: 0) { break }
            do {
                try await body(guest, spec.id)
            } catch {
                try await guest.call(.removeContainer(id: spec.id))
                throw error
            }
            try await guest.call(.removeContainer(id: spec.id))
        }

        @Test func aCommandRunsBesideTheFirstProcess() async throws {
            try await inContainer { guest, id in
                let finished = try await guest.run(
                    .shell(
                        "cat /tmp/mark; kill -0 1 && echo first; cat /proc/self/cgroup; echo oops >&2; exit 9", in: id))
                #expect(finished.stdout == "here\nfirst\n0::/\n")
                #expect(finished.stderr == "oops\n")
                #expect(finished.status.code == 9)
            }
        }

        @Test func commandsThatCannotRunAreToldApart() async throws {
            try await inContainer { guest, id in
                for (program, reason) in [
                    ("nothing", GuestFailure.Reason.commandNotFound), ("/bin/data", .commandNotExecutable),
                ] {
                    let process = ProcessSpec(arguments: [program], environment: ["PATH=/bin"])
                    let spec = ExecSpec(id: "e", container: id, process: process, stdin: false)
                    #expect(await failure { _ = try await guest.exec(spec) } == reason)
                }
                #expect(await failure { _ = try await guest.exec(.shell("true", in: "nobody")) } == .notFound)
            }
        }

        @Test func theUserIsTheContainersUnlessNamed() async throws {
            let guest = try sharedGuest()
            var spec = ContainerSpec.shell("exec sleep 1000")
            spec.process.user.name = "ada"
            try await guest.start(spec)
            #expect(try await guest.run(.shell("id -un", in: spec.id)).stdout == "ada\n")
            var other = ExecSpec.shell("id -un", in: spec.id)
            other.process.user.name = "root"
            #expect(try await guest.run(other).stdout == "root\n")
            try await guest.call(.removeContainer(id: spec.id))
        }

        @Test func stdinReachesTheProcessAndEnds() async throws {
            try await inContainer { guest, id in
                let input = Array(String(repeating: "0123456789abcde\n", count: 40_000).utf8)
                let process = try await guest.exec(.shell("md5sum; wc -c < /dev/null", in: id, stdin: true))
                async let output = process.collectOutput(limit: 1 << 20)
                try await process.write(input)
                try await process.closeInput()
                let told = String(decoding: try await output.stdout, as: UTF8.self)
                #expect(told == "\(hexadecimalMD5(input[...]))  -\n0\n")
            }
        }

        @Test func fiftyMebibytesArriveWholeAndASlowReaderStopsNobodyElse() async throws {
            try await inContainer { guest, id in
                // One that nobody reads.
                let stuck = try await guest.exec(.shell("cat /dev/zero", in: id))
                let process = try await guest.exec(
                    .shell(
                        """
                        head -c 1048576 /dev/urandom > /tmp/random
                        for i in $(seq 50); do cat /tmp/random; done
                        md5sum < /tmp/random >&2
                        """, in: id))
                let (stdout, stderr) = try await process.collectOutput(limit: 64 << 20)
                #expect(stdout.count == 50 << 20)
                let parts = Set((0..<50).map { hexadecimalMD5(stdout[($0 << 20)..<(($0 + 1) << 20)]) })
                #expect(parts == [String(decoding: stderr.prefix(32), as: UTF8.self)])
                #expect(try await process.exitStatus().code == 0)
                try await stuck.signal(9)
            }
        }

        @Test func anExecIsSignalledAndKilledWhenNobodyHoldsIt() async throws {
            try await inContainer { guest, id in
                // The shell tells on stderr of a sleep that the signal has killed too.
                let process = try await guest.exec(
                    .shell(
                        "exec 2>/dev/null; trap 'echo caught; exit 3' USR1; echo ready; while :; do sleep 0.1; done",
                        in: id))
                var output = process.output.makeAsyncIterator()
                #expect(try await output.next()?.bytes == Array("ready\n".utf8))
                try await process.signal(10)
                #expect(try await output.next()?.bytes == Array("caught\n".utf8))
                #expect(try await output.next() == nil)
                #expect(try await process.exitStatus().code == 3)
                #expect(await failure { try await process.signal(10) } == .notFound)

                var dropped: GuestProcess? = try await guest.exec(.shell("exec sleep 4321", in: id))
                #expect(try await guest.count("sleep 4321", in: id) == 1)
                #expect(dropped != nil)
                dropped = nil
                try await waitUntil { try await guest.count("sleep 4321", in: id) == 0 }
            }
        }

        @Test func aTerminalHasASizeAndAnEcho() async throws {
            try await inContainer { guest, id in
                var spec = ExecSpec.shell("read line; stty size; exit 6", in: id)
                spec.process.terminal = true
                let process = try await guest.exec(spec)
                try await process.resize(rows: 33, columns: 99)
                try await process.write(Array("go\n".utf8))
                let (stdout, stderr) = try await process.collectOutput(limit: 1000)
                #expect(String(decoding: stdout, as: UTF8.self) == "go\r\n33 99\r\n")
                #expect(stderr.isEmpty)
                #expect(try await process.exitStatus().code == 6)
            }
        }

        @Test func anExecDoesNotWaitForWhatItLeavesBehind() async throws {
            try await inContainer { guest, id in
                let finished = try await guest.run(.shell("sleep 1000 & echo started", in: id))
                #expect(finished.stdout == "started\n")
                #expect(finished.status.code == 0)
            }
        }

        private func waitUntil(_ condition: () async throws -> Bool) async throws {
            let deadline = ContinuousClock.now + .seconds(10)
            while try await !condition() {
                try #require(ContinuousClock.now < deadline)
            }
        }

        private func hexadecimalMD5(_ bytes: ArraySlice<UInt8>) -> String {
            Insecure.MD5.hash(data: Array(bytes)).map { String(format: "%02x", $0) }.joined()
        }
    }
}
