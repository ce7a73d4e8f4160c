import CarpelAPI
import CarpelClient
import CarpelCore
import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// Real pods, saved and restored on the node that they ran on.
    @Suite(.serialized) struct CheckpointTests {
        /// Without reading eight gibibytes of holes.
        private func content(of folder: String) async throws -> String {
            try await shell(
                "cd \"$1\"; stat -c '%n %s %b %Y' *; sha256sum checkpoint.json machine.state volume-1.raw", folder)
        }

        @Test func restoredPodsGoOnWhereOneWasSavedAndSoDoesThat() async throws {
            try await withBridgedNode { node, client, network in
                let saved = try await client.runPod(countingPod("saved"))
                let configs = [
                    countingContainer("counter", ["sh", "-c", countingScript]),
                    countingContainer("server", ["httpd", "-f", "-p", "8080", "-h", "/disk"]),
                ]
                var containers: [String] = []
                for config in configs { containers.append(try await client.runContainer(in: saved, config)) }
                // One that is over is no part of it.
                let over = try await client.runContainer(in: saved, countingContainer("over", ["true"]))
                _ = try await client.exit(of: over)
                try await eventually("it counts") { try await client.count(containers[0]) > 10 }

                let folder = try node.newFolder("checkpoint")
                let before = try await client.count(containers[0])
                try await client.checkpoint(saved, containers, folder)
                #expect(
                    try fileNames(in: folder) == ["checkpoint.json", "machine.state", "scratch.raw", "volume-1.raw"])
                try await client.goesOn(containers[0])
                let digest = try await content(of: folder)

                var seen: Set<String> = []
                var addresses: Set<String> = [try await client.podStatus(saved).status?.network?.ip ?? ""]
                for name in ["first", "second"] {
                    let restored = try await client.restore(folder, countingPod(name), configs)
                    #expect(restored.restoredContainers.map(\.name) == ["counter", "server"])
                    let (counter, server) = (
                        restored.restoredContainers[0].containerId, restored.restoredContainers[1].containerId
                    )
                    for id in [counter, server] {
                        #expect(try await client.containerStatus(id).state == .CONTAINER_CREATED)
                    }
                    let status = try await client.podStatus(restored.podSandboxId).status
                    let address = status?.network?.ip ?? ""
                    #expect(addresses.insert(address).inserted && address != "")
                    #expect(status?.state == .SANDBOX_READY)

                    // The one goes on while the other waits: where the counter stood is where it stands.
                    try await client.startContainer(server)
                    let held = try await client.count(server)
                    #expect(held >= before)
                    #expect(try await client.count(server, "disk") >= held - 1)
                    #expect(try await network.shell("curl -sS --max-time 20 http://\(address):8080/count") != "")
                    #expect(try await client.count(server) == held)
                    try await client.startContainer(counter)
                    try await client.goesOn(counter)
                    let written = try await client.exec(counter, "cat", "/written").out.split(separator: "\n")
                    #expect(written.compactMap { Int($0) } == Array(1...written.count))
                    #expect(written.count > held)
                    let log = try await client.containerStatus(counter).logPath
                    try await eventually("the log is written") {
                        (try? String(contentsOfFile: log, encoding: .utf8))?.contains("stdout") ?? false
                    }
                    let logged = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
                        .compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
                    // What was written before is in the other pod's log.
                    #expect((logged.first ?? 0) > before && logged == Array(logged[0]...logged[logged.count - 1]))

                    let identity = try await client.exec(
                        server, "sh", "-c", "hostname; cat /etc/hostname; cat /etc/hosts; ip -o addr show eth0"
                    ).out
                    #expect(identity.hasPrefix("\(name)\n\(name)\n") && identity.contains("\(address)\t\(name)"))
                    #expect(identity.contains("inet \(address)/"))
                    #expect(identity.components(separatedBy: "inet ").count == 2, "\(identity)")
                    let random = try await client.exec(server, "sh", "-c", "head -c 16 /dev/urandom | od -An -tx1").out
                    #expect(seen.insert(random).inserted)
                    let start = Date().timeIntervalSince1970
                    let clock = Double(wholeNumber(try await client.exec(server, "date", "+%s").out))
                    #expect(clock >= start - 2 && clock <= Date().timeIntervalSince1970 + 1)
                }
                #expect(try await content(of: folder) == digest)
                try await client.goesOn(containers[0])

                // The folder of the node's files comes back to those who need it.
                let shared = try node.folder.file("shared.txt", "of the node\n")
                for pod in try await client.pods().map(\.id) {
                    let reader = try await client.runContainer(
                        in: pod,
                        containerConfig("reader", testImage, ["sleep", "1000"]) {
                            $0.mounts = [
                                Mount {
                                    $0.containerPath = "/shared.txt"
                                    $0.hostPath = shared
                                    $0.readonly = true
                                }
                            ]
                        })
                    #expect(try await client.exec(reader, "cat", "/shared.txt").out == "of the node\n")
                }
                // A daemon that comes anew finds a restored pod as any other.
                let states = try await client.containers().map { "\($0.id) \($0.state)" }.sorted()
                try await node.restartDaemon()
                let next = try await node.connect()
                #expect(try await next.containers().map { "\($0.id) \($0.state)" }.sorted() == states)
            }
        }
        @Test func aCheckpointThatIsCutShortLeavesThePodRunningAndNoFiles() async throws {
            try await withPlainNode { node, client in
                let saved = try await client.runPod(countingPod("saved"))
                let counter = try await client.runContainer(
                    in: saved, countingContainer("counter", ["sh", "-c", countingScript]))
                try await eventually("it counts") { try await client.count(counter) > 0 }
                let machines = try await node.machineProcesses()

                // The client hangs up.
                try await cutShort(node, saved, counter, "hung-up") { other in await other.close() }
                try await client.goesOn(counter)
                // The daemon dies.
                try await cutShort(node, saved, counter, "killed") { _ in
                    try await node.killDaemon()
                    try await node.startDaemon()
                }
                let next = try await node.connect()
                #expect(try await node.machineProcesses() == machines)
                #expect(try await next.containerStatus(counter).state == .CONTAINER_RUNNING)
                try await next.goesOn(counter)
                // A stop does not wait for it.
                try await cutShort(node, saved, counter, "stopped") { _ in
                    try await next.stopPod(saved)
                }
                #expect(try await next.podState(saved) == .SANDBOX_NOTREADY)
            }
        }

        /// Begins a checkpoint and cuts it short while the machine's state is being written. One that was faster than
        /// that is begun again.
        private func cutShort(
            _ node: Node, _ pod: String, _ container: String, _ name: String,
            _ cut: (CarpelClient) async throws -> Void
        ) async throws {
            for attempt in 1...5 {
                let folder = try node.newFolder("\(name)-\(attempt)")
                let client = try await node.connect()
                let call = Task { try await client.checkpoint(pod, [container], folder) }
                try await eventually("the state is written") {
                    var status = stat()
                    return stat("\(folder)/machine.state", &status) == 0 && status.st_size > 0
                }
                try await cut(client)
                guard case .failure = await call.result else { continue }
                try await eventually("no file is left") { try fileNames(in: folder).isEmpty }
                return
            }
            throw SupportError("the checkpoint was faster each time")
        }
    }
}
