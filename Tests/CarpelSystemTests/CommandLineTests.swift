import CarpelAPI
import CarpelClient
import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// `carpel` as a process, against daemons and clients that die.
    @Suite(.serialized, .timeLimit(.minutes(3))) struct CommandLineTests {
        private static let program = "\(repository)/.build/debug/carpel"

        private func start(_ node: Node, _ arguments: String...) throws -> ChildProcess {
            try ChildProcess(
                Self.program, arguments, environment: ["CARPEL_SOCKET": node.socket],
                log: "\(node.folder.path)/\(arguments.joined(separator: "-").filter { $0 != "/" }).log")
        }

        /// Runs a command line in which `$carpel` is the program.
        private func run(_ node: Node, _ line: String) async throws -> String {
            try await shell("export CARPEL_SOCKET=\"$1\"; carpel=\"$2\"; \(line)", node.socket, Self.program)
        }

        private func withImage(_ body: (Node, CarpelClient, _ image: String) async throws -> Void) async throws {
            let (registry, image) = try await Fixtures.shared.get()
            try await Node.with(registry: registry) { node, client in
                try await client.pull(image)
                try await body(node, client, image)
            }
        }

        @Test func waitRidesOutADaemonThatDiesBeforeItHasNamedTheContainer() async throws {
            try await withImage { node, client, image in
                let pod = try await client.runPod()
                let id = try await client.runContainer(in: pod, containerConfig("main", image, ["sleep", "100000"]))
                // A daemon that is stopped is asked, and never answers.
                kill(node.processID, SIGSTOP)
                let waiting = try start(node, "wait", "web/main")
                try await eventually("the stopped daemon has somebody to accept") {
                    try await shell("ss -Hxl src \"$1\" | awk '{ print $3 }'", node.socket) == "1\n"
                }
                // Nor does it hold up who presses the key for completions.
                #expect(
                    try await run(node, "\"$carpel\" ---completion exec -- positional@0 2 0 carpel exec ''") == "\n")
                try await node.killDaemon()
                try await node.startDaemon()
                try await node.connect().stopContainer(id, timeout: 0)
                try await eventually("the wait ends") { !waiting.isRunning }
                #expect(waiting.log == "137\n")
            }
        }

        /// Attempts and files as the kubelet names them.
        @Test func previousIsTheLogOfTheAttemptBefore() async throws {
            try await withImage { node, client, image in
                let pod = try await client.runPod(podConfig { $0.logDirectory = "\(node.folder.path)/logs" })
                func attempt(_ number: UInt32, _ command: String) async throws -> String {
                    try await client.runContainer(
                        in: pod,
                        containerConfig("main", image, ["sh", "-c", command]) {
                            $0.metadata?.attempt = number
                            $0.logPath = "main/\(number).log"
                        })
                }
                let first = try await attempt(0, "echo first; exit 1")
                _ = try await client.exit(of: first)
                #expect(
                    try await run(node, "\"$carpel\" logs --previous web 2>&1; echo $?") == """
                        carpel: the container web/main has no previous instance on this node: \
                        `carpel ps -a` lists what there is
                        3

                        """)
                let second = try await attempt(1, "echo second; exit 2")
                _ = try await client.exit(of: second)
                let third = try await attempt(2, "echo third; sleep 100000")
                try await eventually("the third has written") {
                    try await run(node, "\"$carpel\" logs \(third)") == "third\n"
                }
                #expect(try await run(node, "\"$carpel\" logs web/main") == "third\n")
                #expect(try await run(node, "\"$carpel\" logs --previous web/main") == "second\n")
                #expect(try await run(node, "\"$carpel\" logs -p web") == "second\n")
                #expect(try await run(node, "\"$carpel\" logs -p \(second)") == "first\n")
                // The kubelet may have removed one that lies between.
                try await client.removeContainer(second)
                #expect(try await run(node, "\"$carpel\" logs -p web/main") == "first\n")
            }
        }

        @Test func aRunThatIsInterruptedLeavesAWholePodOrNone() async throws {
            try await withImage { node, client, image in
                func interruptedRun(_ signal: Int32, _ name: String, _ command: String...) async throws {
                    let running = try ChildProcess(
                        Self.program, ["run", "--detach", "--name", name, image] + command,
                        environment: ["CARPEL_SOCKET": node.socket], log: "\(node.folder.path)/\(name).log")
                    try await eventually("the pod is being made") { try await !client.pods().isEmpty }
                    try await running.end(signal)
                    #expect(running.log == "")
                }
                try await interruptedRun(SIGKILL, "whole", "sleep", "100000")
                try await eventually("its container runs") {
                    try await client.containers().first?.state == .CONTAINER_RUNNING
                }
                #expect(try await run(node, "\"$carpel\" rm --force whole") == "whole\n")
                try await interruptedRun(SIGKILL, "none", "missing")
                try await eventually("the pod is gone") { try await client.pods().isEmpty }
                // One that is told to end has undone all when it ends.
                try await interruptedRun(SIGINT, "undone", "sleep", "100000")
                #expect(try await client.pods().isEmpty)
                #expect(try await node.machineProcesses() == [])
            }
        }

        /// What bash offers, by the script that `carpel completion` prints.
        @Test func theShellOffersTheNamesOfPodsAndContainers() async throws {
            try await withFakeNode { node, client in
                for (name, containers) in [("db", ["main"]), ("web", ["front", "probe"])] {
                    let pod = try await client.runPod(podConfig(name))
                    for container in containers {
                        _ = try await client.createContainer(
                            in: pod, containerConfig(container, testImage, ["sleep", "1000"]))
                    }
                }
                func offered(_ words: String..., socket: String? = nil) async throws -> [String] {
                    try await shell(
                        """
                        export CARPEL_SOCKET="$1"; carpel=$2; shift 2
                        bash -c 'eval "$("$0" completion bash)"
                            COMP_WORDS=("$0" "$@") COMP_CWORD=$# COMP_LINE="$0 $*" COMP_POINT=$((${#0} + ${#*} + 1))
                            _carpel "$0" "${@: -1}" "${@: -2:1}"
                            printf "%s\\\\n" "${COMPREPLY[@]}"' "$carpel" "$@"
                        """, [socket ?? node.paths.socket, Self.program] + words
                    ).split(separator: "\n").map(String.init)
                }
                #expect(try await offered("exec", "") == ["db", "db/main", "web/front", "web/probe"])
                #expect(try await offered("exec", "-it", "web/p") == ["web/probe"])
                #expect(try await offered("logs", "--tail", "3", "d") == ["db", "db/main"])
                #expect(try await offered("stop", "web", "w") == ["web", "web/front", "web/probe"])
                #expect(try await offered("port-forward", "w") == ["web"])
                #expect(try await offered("run", "--pod", "") == ["db", "web"])
                // No daemon is no reason to write into somebody's line.
                #expect(try await offered("exec", "", socket: "/nowhere") == [])
                #expect(
                    try await offered("exec", "--socket", node.paths.socket, "web/p", socket: "/nowhere")
                        == ["web/probe"])
            }
        }
    }
}
