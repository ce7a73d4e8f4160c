import CarpelAPI
import CarpelClient
import CarpelCore
import Foundation
import TestSupport
import Testing

extension SystemTests {
    @Suite(.serialized) struct RecoveryTests {
        @Test func aKilledDaemonLosesNothing() async throws {
            let (registry, image) = try await Fixtures.shared.get()
            try await Node.with(registry: registry) { node, client in
                try await client.pull(image)
                let pod = try await client.runPod()
                let counting = try await client.runContainer(
                    in: pod,
                    containerConfig(
                        "counting", image, ["sh", "-c", "i=0; while true; do echo $i; i=$((i+1)); sleep 0.02; done"]))
                let exiting = try await client.runContainer(
                    in: pod, containerConfig("exiting", image, ["sh", "-c", "sleep 2; exit 4"]))
                let before = try await (client.podStatus(pod).status, client.containerStatus(counting))
                let machines = try await node.machineProcesses()
                #expect(machines.count == 1)

                try await node.killDaemon()
                #expect(try await node.machineProcesses() == machines)
                try await node.startDaemon()

                let next = try await node.connect()
                #expect(try await node.machineProcesses() == machines)
                #expect(try await next.podStatus(pod).status == before.0)
                #expect(try await next.containerStatus(counting) == before.1)
                #expect(try await next.exec(counting, "echo", "alive").out == "alive\n")
                #expect(try await next.exit(of: exiting).exitCode == 4)

                // Every line once and in order, over the daemon's death.
                try await next.stopContainer(counting, timeout: 0)
                let path = before.1.logPath
                try await eventually("the log is complete") {
                    try !String(contentsOfFile: path, encoding: .utf8).isEmpty
                }
                let numbers = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
                    .compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
                #expect(numbers == Array(0..<numbers.count))
                #expect(numbers.count > 20)
            }
        }

        @Test func aPodThatWasHalfMadeIsUndone() async throws {
            try await Node.with { node, client in
                let running = Task { try await client.runPod() }
                try await eventually("the machine boots") { try await !node.machineProcesses().isEmpty }
                try await node.killDaemon()
                await #expect(throws: CarpelError.self) { try await running.value }
                try await node.startDaemon()

                let next = try await node.connect()
                let left = try await next.pods()
                // The boot may have been over when the daemon died: then it was finished.
                #expect(left.allSatisfy { $0.state == .SANDBOX_READY })
                #expect(try await node.machineProcesses().count == left.count)
                _ = try await next.removePod(try await next.runPod())
            }
        }

        /// libvirt forgets the control groups of machines that it was re-attached to.
        @Test func aPodThatSawTwoDaemonsLeavesNoControlGroup() async throws {
            try await Node.with { node, client in
                let pod = try await client.runPod()
                func controlGroups() async throws -> String {
                    try await shell("find /sys/fs/cgroup -name \"*carpel-$1*\"", String(pod.prefix(9)))
                }
                let made = try await controlGroups()
                try await node.restartDaemon()
                let next = try await node.connect()
                #expect(try await controlGroups() == made)
                try await next.removePod(pod)
                #expect(try await controlGroups() == "")
            }
        }

        @Test func theDoctorLooksAtANodeWhoseDaemonIsGone() async throws {
            try await Node.with { node, _ in
                try await node.killDaemon()
                let command =
                    "\"$1/.build/debug/carpel\" doctor --format json --socket \"$2\" --root \"$3\" --state \"$4\" --config \"$5\" 2>/dev/null; echo $?"
                let output = try await shell(
                    command, repository, node.socket, node.root, node.state, node.configuration)
                #expect(output.contains("\"kernel\"") && output.hasSuffix("\n4\n"))
                try await node.startDaemon()
            }
        }

        @Test func aSecondDaemonOnTheSameFoldersIsRefused() async throws {
            try await Node.with { node, _ in
                let second = try ChildProcess(
                    "\(repository)/.build/debug/carpeld",
                    ["--root", node.root, "--state", node.state, "--config", node.configuration],
                    log: "\(node.folder.path)/second.log")
                try await eventually("the second daemon gives up") { !second.isRunning }
                #expect(second.log.contains("daemonRunning"))
            }
        }

        @Test func twoDaemonsLiveSideBySide() async throws {
            try await Node.with { first, client in
                try await Node.with { second, other in
                    let pod = try await client.runPod()
                    _ = try await other.runPod()
                    #expect(try await client.pods().map(\.id) == [pod])
                    #expect(try await first.machineProcesses().count == 1)
                    #expect(try await second.machineProcesses().count == 1)
                }
                #expect(try await first.machineProcesses().count == 1)
            }
        }
    }
}
