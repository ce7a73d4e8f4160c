import CarpelGuestProtocol
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
    }
}
