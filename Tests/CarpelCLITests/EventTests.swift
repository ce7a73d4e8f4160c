import ArgumentParser
import CarpelAPI
import CarpelCore
import Testing

@testable import CarpelCLI

struct EventTests {
    private func container(
        _ state: ContainerState, _ type: WatchNodeResponse.Change = .MODIFIED, code: Int32 = 0
    ) -> WatchNodeResponse {
        WatchNodeResponse {
            $0.type = type
            $0.kind = .CONTAINER
            $0.id = "c0ffee"
            $0.podSandboxId = "b0a7"
            $0.container = ContainerStatus {
                $0.metadata = ContainerMetadata { $0.name = "probe" }
                $0.state = state
                $0.exitCode = code
                $0.reason = "Error"
            }
        }
    }

    private func pod(_ state: PodSandboxState) -> WatchNodeResponse {
        WatchNodeResponse {
            $0.type = .ADDED
            $0.kind = .POD
            $0.id = "b0a7"
            $0.createdAt = 1_500_000_000
            $0.pod = PodSandboxStatus {
                $0.metadata = PodSandboxMetadata { $0.name = "web" }
                $0.state = state
            }
        }
    }

    private let bookmark = WatchNodeResponse { $0.type = .BOOKMARK }

    @Test func aChangeIsALine() {
        var lines = EventLines()
        #expect(
            lines.line(pod(.SANDBOX_READY))
                == "1970-01-01T00:00:01.500Z  pod        b0a7           added     web  ready")
        #expect(lines.line(bookmark) == nil)
        #expect(
            lines.line(container(.CONTAINER_EXITED, code: 3))?.hasSuffix("modified  web/probe  exited with 3 (Error)")
                == true)
    }

    @Test func filtersNeedEveryKeyAndOneOfItsValues() throws {
        let filter = try EventFilter(["kind=container", "state=exited", "state=running", "pod=web"])
        #expect(filter.matches(container(.CONTAINER_EXITED), podName: "web"))
        #expect(filter.matches(container(.CONTAINER_RUNNING), podName: "web"))
        #expect(!filter.matches(container(.CONTAINER_CREATED), podName: "web"))
        #expect(!filter.matches(container(.CONTAINER_EXITED), podName: "db"))
        #expect(!filter.matches(pod(.SANDBOX_READY), podName: "web"))
        #expect(try EventFilter(["pod=b0"]).matches(container(.CONTAINER_EXITED), podName: nil))
        #expect(try EventFilter([]).matches(pod(.SANDBOX_NOTREADY), podName: nil))
    }

    @Test(arguments: ["kind", "colour=red", "kind=cat", "type=", "=x"]) func anythingElseIsNoFilter(_ text: String) {
        #expect(throws: ValidationError.self) { try EventFilter([text]) }
    }

    @Test func anExitIsSeenBeforeAndAfterTheBookmark() throws {
        var early = ExitWait(container: "c0ffee")
        #expect(try early.exit(after: container(.CONTAINER_EXITED, .ADDED, code: 4)) == nil)
        #expect(try early.exit(after: bookmark)?.exitCode == 4)

        var late = ExitWait(container: "c0ffee")
        for change in [
            pod(.SANDBOX_READY), container(.CONTAINER_CREATED, .ADDED), bookmark, container(.CONTAINER_RUNNING),
        ] {
            #expect(try late.exit(after: change) == nil)
        }
        #expect(try late.exit(after: container(.CONTAINER_EXITED, code: 5))?.exitCode == 5)
    }

    @Test func aWaitThatCannotEndFails() throws {
        func reason(_ changes: [WatchNodeResponse]) -> String? {
            var wait = ExitWait(container: "c0ffee")
            do {
                for change in changes { _ = try wait.exit(after: change) }
                return nil
            } catch { return (error as? CarpelError)?.reason }
        }
        #expect(reason([bookmark]) == "containerNotFound")
        let running = [pod(.SANDBOX_READY), container(.CONTAINER_RUNNING, .ADDED), bookmark]
        #expect(reason(running + [container(.CONTAINER_RUNNING, .REMOVED)]) == "containerNotFound")
        let created = [pod(.SANDBOX_READY), container(.CONTAINER_CREATED, .ADDED), bookmark]
        #expect(reason(created) == nil)
        #expect(reason(created + [pod(.SANDBOX_NOTREADY)]) == "podNotReady")
        // A container that runs ends with its pod, and will be seen to.
        #expect(reason(running + [pod(.SANDBOX_NOTREADY)]) == nil)
    }
}
