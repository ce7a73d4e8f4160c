import CarpelAPI
import CarpelClient
import CarpelCore
import Foundation
import TestSupport
import Testing

/// Suites run one after the other: each machine is emulated and takes a core.
@Suite(.serialized) struct SystemTests {}

extension SystemTests {
    @Suite(.serialized) struct PodTests {
        @Test func aPodOfTwoContainersLivesFromPullToRemoval() async throws {
            let (registry, image) = try await Fixtures.shared.get()
            try await Node.with(registry: registry) { node, client in
                try await client.pull(image)
                let pod = try await client.runPod(podConfig { $0.logDirectory = "\(node.folder.path)/logs" })
                let first = try await client.runContainer(
                    in: pod,
                    containerConfig(
                        "first", image, ["sh", "-c", "echo $GREETING $NAME; echo oops >&2; exec sleep 1000"]
                    ) {
                        $0.envs = [
                            KeyValue {
                                $0.key = "NAME"; $0.value = Data("Ada".utf8)
                            }
                        ]
                        $0.logPath = "first/0.log"
                    })
                let second = try await client.runContainer(
                    in: pod, containerConfig("second", image, ["sleep", "1000"]))

                let whoami = try await client.exec(first, "hostname")
                #expect(whoami.code == 0 && whoami.out == "web\n")
                #expect(
                    try await client.exec(second, "sh", "-c", "echo out; echo err >&2; exit 5") == (5, "out\n", "err\n")
                )
                // Containers of a pod share the network and nothing else.
                _ = try await client.exec(first, "touch", "/only-here")
                #expect(try await client.exec(second, "test", "-e", "/only-here").code == 1)

                let log = "\(node.folder.path)/logs/first/0.log"
                #expect(try await client.containerStatus(first).logPath == log)
                try await eventually("the log is written") {
                    let lines = (try? String(contentsOfFile: log, encoding: .utf8))?.split(separator: "\n") ?? []
                    return lines.contains { $0.hasSuffix("stdout F hello Ada") }
                        && lines.contains { $0.hasSuffix("stderr F oops") }
                }

                let status = try await client.podStatus(pod)
                #expect(status.status?.state == .SANDBOX_READY)
                #expect(status.containersStatuses.map(\.id) == [first, second])
                let timeline = try JSONDecoder().decode(
                    [TimelineStep].self, from: Data((status.info["timeline"] ?? "").utf8))
                #expect(
                    timeline.map(\.name) == [
                        "record", "folders", "scratch disk", "shared folder", "machine", "agent",
                        "sandbox configuration",
                    ])
                #expect(timeline.allSatisfy { ($0.durationNanoseconds ?? 0) > 0 && $0.failure == nil })

                try await client.stopPod(pod)
                #expect(try await client.podStatus(pod).status?.state == .SANDBOX_NOTREADY)
                #expect(try await client.containerStatus(first).state == .CONTAINER_EXITED)
                try await client.removePod(pod)
                #expect(try await node.machineProcesses().isEmpty)
                #expect(try FileManager.default.contentsOfDirectory(atPath: "\(node.root)/pods").isEmpty)
                #expect(try FileManager.default.contentsOfDirectory(atPath: "\(node.state)/pods").isEmpty)
            }
        }

        @Test func listsFilterByIDStateAndLabels() async throws {
            let (registry, image) = try await Fixtures.shared.get()
            try await Node.with(registry: registry) { _, client in
                try await client.pull(image)
                let web = try await client.runPod(podConfig("web"))
                let stopped = try await client.runPod(podConfig("db"))
                try await client.stopPod(stopped)
                func pods(_ set: (inout PodSandboxFilter) -> Void) async throws -> [String] {
                    var filter = PodSandboxFilter()
                    set(&filter)
                    return try await client.call(Methods.listPodSandbox, ListPodSandboxRequest { $0.filter = filter })
                        .items.map(\.id)
                }
                #expect(try await pods { _ in } == [stopped, web])
                #expect(try await pods { $0.state = PodSandboxStateValue { $0.state = .SANDBOX_READY } } == [web])
                #expect(try await pods { $0.labelSelector = ["app": "db"] } == [stopped])
                #expect(try await pods { $0.labelSelector = ["app": "db", "tier": "x"] }.isEmpty)
                #expect(try await pods { $0.id = String(web.prefix(10)) } == [web])

                let created = try await client.createContainer(
                    in: web, containerConfig("a", image, ["sleep", "9"]) { $0.labels = ["l": "1"] })
                func containers(_ set: (inout ContainerFilter) -> Void) async throws -> [String] {
                    var filter = ContainerFilter()
                    set(&filter)
                    return try await client.call(Methods.listContainers, ListContainersRequest { $0.filter = filter })
                        .containers.map(\.id)
                }
                #expect(try await containers { $0.podSandboxId = web } == [created])
                #expect(try await containers { $0.podSandboxId = stopped }.isEmpty)
                #expect(
                    try await containers { $0.state = ContainerStateValue { $0.state = .CONTAINER_CREATED } } == [
                        created
                    ])
                #expect(try await containers { $0.labelSelector = ["l": "2"] }.isEmpty)
            }
        }

        @Test func exitsAreReportedAsCRIDoes() async throws {
            let (registry, image) = try await Fixtures.shared.get()
            try await Node.with(registry: registry) { _, client in
                try await client.pull(image)
                let pod = try await client.runPod()
                func exit(_ name: String, _ command: [String], _ set: (inout ContainerConfig) -> Void = { _ in })
                    async throws -> ContainerStatus
                {
                    let id = try await client.runContainer(in: pod, containerConfig(name, image, command, set))
                    return try await client.exit(of: id)
                }
                let completed = try await exit("completed", ["true"])
                #expect(completed.exitCode == 0 && completed.reason == "Completed")
                #expect(completed.createdAt < completed.startedAt && completed.startedAt <= completed.finishedAt)
                let failed = try await exit("failed", ["sh", "-c", "exit 3"])
                #expect(failed.exitCode == 3 && failed.reason == "Error")
                let signalled = try await exit("signalled", ["sh", "-c", "kill -SEGV $$"])
                #expect(signalled.exitCode == 139 && signalled.reason == "Error")
                let hungry = try await exit("hungry", ["sh", "-c", "x=a; while true; do x=$x$x; done"]) {
                    $0.linux = LinuxContainerConfig {
                        $0.resources = LinuxContainerResources { $0.memoryLimitInBytes = 16 << 20 }
                    }
                }
                #expect(hungry.exitCode == 137 && hungry.reason == "OOMKilled")
            }
        }

        @Test func aGuestPanicEndsThePodAndTheBootLogTellsWhy() async throws {
            let (registry, image) = try await Fixtures.shared.get()
            try await Node.with(registry: registry) { node, client in
                try await client.pull(image)
                let pod = try await client.runPod(
                    podConfig {
                        $0.linux = LinuxPodSandboxConfig {
                            $0.securityContext = LinuxSandboxSecurityContext { $0.privileged = true }
                        }
                    })
                let id = try await client.runContainer(
                    in: pod,
                    containerConfig("vandal", image, ["sh", "-c", "echo c > /proc/sysrq-trigger"]) {
                        $0.linux = LinuxContainerConfig {
                            $0.securityContext = LinuxContainerSecurityContext { $0.privileged = true }
                        }
                    })
                #expect(try await client.exit(of: id).reason == "MachineFailed")
                let info = try await client.podStatus(pod).info["machine"] ?? ""
                #expect(info.contains("panicked"))
                let log = try String(contentsOfFile: "\(node.root)/pods/\(pod)/boot.log", encoding: .utf8)
                #expect(log.contains("Kernel panic - not syncing: sysrq triggered crash"))
            }
        }

        /// The least that a pod may ask for is enough to boot with.
        @Test func theSmallestPodRuns() async throws {
            let (registry, image) = try await Fixtures.shared.get()
            try await Node.with(registry: registry) { node, client in
                try await client.pull(image)
                func memory(_ mebibytes: Int64) -> (inout PodSandboxConfig) -> Void {
                    { config in
                        config.linux = LinuxPodSandboxConfig {
                            $0.resources = LinuxContainerResources { $0.memoryLimitInBytes = mebibytes << 20 }
                        }
                    }
                }
                await #expect { try await client.runPod(podConfig("tiny", memory(7))) } throws: {
                    ($0 as? CarpelError)?.reason == "memoryTooSmall"
                }
                let pod = try await client.runPod(podConfig("small", memory(8)))
                let id = try await client.runContainer(in: pod, containerConfig("a", image, ["sleep", "1000"]))
                #expect(try await client.exec(id, "true").code == 0)
                // What was asked for is there for the containers: the overhead covers the guest itself.
                let usual = try await client.runPod(podConfig("usual", memory(128)))
                let other = try await client.runContainer(in: usual, containerConfig("a", image, ["sleep", "1000"]))
                let available = try await client.exec(other, "sh", "-c", "grep MemAvailable /proc/meminfo | tr -dc 0-9")
                    .out
                #expect(try #require(Int(available)) >= 128 << 10)
            }
        }

        @Test func aStopSignalIsGivenTimeAndThenTheContainerIsKilled() async throws {
            let (registry, image) = try await Fixtures.shared.get()
            try await Node.with(registry: registry) { _, client in
                try await client.pull(image)
                let pod = try await client.runPod()
                let polite = try await client.runContainer(
                    in: pod,
                    containerConfig(
                        "polite", image,
                        ["sh", "-c", "trap 'exit 7' USR1; touch /tmp/polite; while true; do sleep 0.1; done"]
                    ) {
                        $0.stopSignal = .SIGNAL_SIGUSR1
                    })
                try await ready(polite, client, "/tmp/polite")
                try await client.stopContainer(polite, timeout: 20)
                #expect(try await client.containerStatus(polite).exitCode == 7)

                let stubborn = try await client.runContainer(
                    in: pod,
                    containerConfig(
                        "stubborn", image,
                        ["sh", "-c", "trap '' TERM; touch /tmp/stubborn; while true; do sleep 0.1; done"]))
                try await ready(stubborn, client, "/tmp/stubborn")
                try await client.stopContainer(stubborn, timeout: 1)
                #expect(try await client.containerStatus(stubborn).exitCode == 137)
            }
        }

        /// A signal that comes before the shell's trap is set would end the shell.
        private func ready(_ container: String, _ client: CarpelClient, _ file: String) async throws {
            try await eventually("the trap is set") { try await client.exec(container, "test", "-e", file).code == 0 }
        }

        @Test func anExecHasADeadlineAndItsOutputABound() async throws {
            let (registry, image) = try await Fixtures.shared.get()
            try await Node.with(registry: registry) { _, client in
                try await client.pull(image)
                let pod = try await client.runPod()
                let id = try await client.runContainer(in: pod, containerConfig("a", image, ["sleep", "1000"]))
                await #expect { try await client.exec(id, "sleep", "77", timeout: 1) } throws: {
                    ($0 as? CarpelError)?.reason == "execTimeout"
                }
                try await eventually("the late command is gone") {
                    try await client.exec(id, "sh", "-c", "ps | grep -c '[s]leep 77'; true").out == "0\n"
                }
                #expect(
                    try await client.exec(id, "sh", "-c", "head -c 17000000 /dev/zero", timeout: 120).out.utf8.count
                        == 16 << 20)
                let missing = try await client.exec(id, "nonexistent")
                #expect(missing.code == 127 && missing.err.contains("nonexistent"))
            }
        }
    }
}
