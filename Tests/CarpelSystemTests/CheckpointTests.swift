import CarpelAPI
import CarpelClient
import CarpelCore
import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// Real pods, saved and restored.
    @Suite(.serialized) struct CheckpointTests {
        private static let image = "localhost/busybox:1"

        /// Counts in memory, on a volume's disk and through a file that stays open on its root's disk.
        private static let counting = """
            exec 3>/written; i=0
            while true; do i=$((i+1)); echo $i >/memory/count; echo $i >/disk/count; echo $i >&3; echo $i; usleep 20000; done
            """

        private func withNode(_ body: (Node, CarpelClient, TestNetwork) async throws -> Void) async throws {
            let network = try await TestNetwork()
            let folder = try TemporaryFolder()
            let plugins = try installPlugins(["network-bridge"], in: folder)
            let settings = """
                networks: { default: network-bridge }
                plugins: { folders: [\(plugins)], configurations: { network-bridge:
                    { networks: { default: { subnets: [{ subnet: 10.88.0.0/16 }, { subnet: "fd88::/64" }] } } } } }

                """
            try await Node.with(settings: settings, folder: folder, network: network) { node, client in
                try await client.importImage(try await Fixtures.shared.layout(), as: Self.image)
                try await body(node, client, network)
            }
            try await network.remove()
        }

        private func withPlainNode(_ body: (Node, CarpelClient) async throws -> Void) async throws {
            try await Node.with { node, client in
                try await client.importImage(try await Fixtures.shared.layout(), as: Self.image)
                try await body(node, client)
            }
        }

        private func pod(_ name: String) -> PodSandboxConfig {
            podConfig(name) {
                $0.logDirectory = ""
                $0.carpel = PodSandboxExtension {
                    $0.volumes = [
                        PodVolume {
                            $0.name = "memory"
                            $0.emptyDir = EmptyDirVolume { $0.medium = .MEMORY }
                        },
                        PodVolume {
                            $0.name = "disk"
                            $0.emptyDir = EmptyDirVolume { $0.sizeLimitBytes = 16 << 20 }
                        },
                    ]
                }
            }
        }

        private func container(_ name: String, _ command: [String]) -> ContainerConfig {
            containerConfig(name, Self.image, command) {
                $0.mounts = ["memory", "disk"].map { volume in
                    Mount {
                        $0.containerPath = "/\(volume)"
                        $0.carpel = MountExtension { $0.volume = volume }
                    }
                }
            }
        }

        private func number(_ text: String) -> Int { Int(text.trimmingCharacters(in: .whitespacesAndNewlines)) ?? -1 }

        private func count(_ client: CarpelClient, _ container: String, _ medium: String = "memory") async throws -> Int
        {
            number(try await client.exec(container, "cat", "/\(medium)/count").out)
        }

        /// Waits until the counter of this container is beyond where it is.
        private func goesOn(_ client: CarpelClient, _ container: String) async throws {
            let now = try await count(client, container)
            try await eventually("the counter goes on") { try await self.count(client, container) > now }
        }

        private func checkpoint(
            _ client: CarpelClient, _ pod: String, _ containers: [String], _ folder: String,
            _ options: [String: String] = [:]
        ) async throws {
            let request = CheckpointPodRequest {
                $0.podSandboxId = pod
                $0.outputPath = folder
                $0.containerIds = containers
                $0.options = options
            }
            _ = try await client.call(Methods.checkpointPod, request)
        }

        private func restore(
            _ client: CarpelClient, _ folder: String, _ config: PodSandboxConfig, _ containers: [ContainerConfig]
        ) async throws -> RestorePodResponse {
            let request = RestorePodRequest {
                $0.checkpointPath = folder
                $0.config = config
                $0.containerConfigs = containers
            }
            return try await client.call(Methods.restorePod, request)
        }

        private func refused(
            _ reason: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
        ) async {
            let error = await #expect(throws: CarpelError.self, sourceLocation: sourceLocation) { try await body() }
            #expect(error?.reason == reason, "\(error?.message ?? "")", sourceLocation: sourceLocation)
        }

        private func newFolder(_ node: Node, _ name: String) throws -> String {
            let path = "\(node.folder.path)/\(name)"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            return path
        }

        private func files(_ folder: String) throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        }

        /// Without reading eight gibibytes of holes.
        private func content(of folder: String) async throws -> String {
            try await shell(
                "cd \"$1\"; stat -c '%n %s %b %Y' *; sha256sum checkpoint.json machine.state volume-1.raw", folder)
        }

        @Test func restoredPodsGoOnWhereOneWasSavedAndSoDoesThat() async throws {
            try await withNode { node, client, network in
                let saved = try await client.runPod(pod("saved"))
                let configs = [
                    container("counter", ["sh", "-c", Self.counting]),
                    container("server", ["httpd", "-f", "-p", "8080", "-h", "/disk"]),
                ]
                var containers: [String] = []
                for config in configs { containers.append(try await client.runContainer(in: saved, config)) }
                // One that is over is no part of it.
                let over = try await client.runContainer(in: saved, container("over", ["true"]))
                _ = try await client.exit(of: over)
                try await eventually("it counts") { try await self.count(client, containers[0]) > 10 }

                let folder = try newFolder(node, "checkpoint")
                let before = try await count(client, containers[0])
                try await checkpoint(client, saved, containers, folder)
                #expect(try files(folder) == ["checkpoint.json", "machine.state", "scratch.raw", "volume-1.raw"])
                try await goesOn(client, containers[0])
                let digest = try await content(of: folder)

                var seen: Set<String> = []
                var addresses: Set<String> = [try await client.podStatus(saved).status?.network?.ip ?? ""]
                for name in ["first", "second"] {
                    let restored = try await restore(client, folder, pod(name), configs)
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
                    let held = try await count(client, server)
                    #expect(held >= before)
                    #expect(try await count(client, server, "disk") >= held - 1)
                    #expect(try await network.shell("curl -sS --max-time 20 http://\(address):8080/count") != "")
                    #expect(try await count(client, server) == held)
                    try await client.startContainer(counter)
                    try await goesOn(client, counter)
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
                    let clock = Double(number(try await client.exec(server, "date", "+%s").out))
                    #expect(clock >= start - 2 && clock <= Date().timeIntervalSince1970 + 1)
                }
                #expect(try await content(of: folder) == digest)
                try await goesOn(client, containers[0])

                // The folder of the node's files comes back to those who need it.
                let shared = try node.folder.file("shared.txt", "of the node\n")
                for pod in try await client.pods().map(\.id) {
                    let reader = try await client.runContainer(
                        in: pod,
                        containerConfig("reader", Self.image, ["sleep", "1000"]) {
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

        @Test func whatCannotBeSavedOrRestoredIsRefusedAndLeavesNothing() async throws {
            try await withPlainNode { node, client in
                let saved = try await client.runPod(pod("saved"))
                let config = container("counter", ["sh", "-c", Self.counting])
                let counter = try await client.runContainer(in: saved, config)
                let second = try await client.runContainer(in: saved, container("second", ["sleep", "1000"]))
                let folder = try newFolder(node, "checkpoint")
                await refused("fieldMissing") { try await checkpoint(client, saved, [], folder) }
                await refused("containerNamedTwice") {
                    try await checkpoint(client, saved, [counter, counter, second], folder)
                }
                await refused("containersIncomplete") { try await checkpoint(client, saved, [counter], folder) }
                await refused("containerNotFound") { try await checkpoint(client, saved, [counter, "x"], folder) }
                try await client.stopContainer(second, timeout: 0)
                await refused("containerNotRunning") { try await checkpoint(client, saved, [counter, second], folder) }
                await refused("checkpointPathInvalid") { try await checkpoint(client, saved, [counter], "relative") }
                await refused("checkpointFolderMissing") {
                    try await checkpoint(client, saved, [counter], "\(folder)/none")
                }
                await refused("checkpointFolderNotEmpty") {
                    try await checkpoint(client, saved, [counter], node.folder.path)
                }
                await refused("optionUnknown") { try await checkpoint(client, saved, [counter], folder, ["a": "b"]) }
                await refused("containerCheckpointUnsupported") {
                    _ = try await client.call(
                        Methods.checkpointContainer,
                        CheckpointContainerRequest {
                            $0.containerId = counter
                            $0.location = "\(folder)/archive"
                        })
                }
                // A folder that is too small for the machine's memory.
                try await shell("mount -t tmpfs -o size=4m small \"$1\"", folder)
                let full = await #expect(throws: CarpelError.self) {
                    try await checkpoint(client, saved, [counter], folder)
                }
                #expect(["machineNotSaved", "noSpace"].contains(full?.reason), "\(full?.message ?? "")")
                #expect(try files(folder).isEmpty)
                try await shell("umount \"$1\"", folder)
                try await goesOn(client, counter)

                // By the command line, which goes on with `restore`.
                let carpel = "\"$1/.build/debug/carpel\" --socket \"$2\""
                let output = try await shell("\(carpel) checkpoint saved \"$3\"", repository, node.socket, folder)
                #expect(output.contains("stood still for") && output.hasSuffix("\(folder)\n"))
                #expect(try files(folder).contains("checkpoint.json"))
                try await goesOn(client, counter)
                #expect(
                    try await shell("\(carpel) debug domain saved", repository, node.socket).contains("<domain "))
                _ = try await shell("\(carpel) console saved", repository, node.socket)

                try await refusesToRestore(node, client, folder, config)

                let restored = try await shell(
                    "\(carpel) restore --name again --start \"$3\"", repository, node.socket, folder)
                let again = try #require(try await client.pods().first { $0.metadata?.name == "again" })
                #expect(restored.hasSuffix("\(again.id)\n"))
                let other = try #require(try await client.containers().first { $0.podSandboxId == again.id })
                try await goesOn(client, other.id)
            }
        }

        /// Each time nothing is left but the pod that was saved.
        private func refusesToRestore(
            _ node: Node, _ client: CarpelClient, _ folder: String, _ config: ContainerConfig
        ) async throws {
            let machines = try await node.machineProcesses()
            func refuses(
                _ reason: String, _ containers: [ContainerConfig], _ name: String = "copy", from path: String,
                sourceLocation: SourceLocation = #_sourceLocation
            ) async throws {
                await refused(reason, sourceLocation: sourceLocation) {
                    _ = try await restore(client, path, pod(name), containers)
                }
                #expect(try await client.pods().count == 1, sourceLocation: sourceLocation)
                #expect(try await client.containers().count == 2, sourceLocation: sourceLocation)
                #expect(try await node.machineProcesses() == machines, sourceLocation: sourceLocation)
                for folder in ["\(node.root)/pods", "\(node.state)/pods", "\(node.state)/shared"] {
                    let left = try files(folder).filter { !$0.hasSuffix(".points") }
                    #expect(left.count == 1, "\(folder)", sourceLocation: sourceLocation)
                }
            }
            try await refuses("checkpointFolderMissing", [config], from: "\(folder)/none")
            try await refuses("fieldMissing", [], from: folder)
            try await refuses("checkpointMismatch", [container("other", config.command)], from: folder)
            try await refuses("checkpointMismatch", [config, container("second", ["sleep", "1000"])], from: folder)
            try await refuses("checkpointMismatch", [container("counter", ["sleep", "1"])], from: folder)
            try await refuses("podNameTaken", [config], "saved", from: folder)
            var privileged = config
            privileged.linux = LinuxContainerConfig {
                $0.securityContext = LinuxContainerSecurityContext { $0.readonlyRootfs = true }
            }
            try await refuses("checkpointMismatch", [privileged], from: folder)
            for (name, reason, damage) in [
                ("cut", "checkpointDamaged", "truncate -s -1 machine.state"),
                ("changed", "checkpointDamaged", "printf x | dd of=scratch.raw bs=1 seek=1M conv=notrunc status=none"),
                ("gone", "checkpointDamaged", "rm volume-1.raw"),
                ("words", "checkpointDamaged", "echo no >checkpoint.json"),
                ("format", "checkpointOtherFormat", "sed -i 's/\"version\" : 1/\"version\" : 99/' checkpoint.json"),
                (
                    "kernel", "checkpointOfOtherNode",
                    "sed -i 's/\"kernel\" : \"sha256:..../\"kernel\" : \"sha256:zzzz/' checkpoint.json"
                ),
                (
                    "qemu", "machineShapeMismatch",
                    "sed -i 's/\"qemu\" : \"[^\"]*\"/\"qemu\" : \"1.0.0\"/' checkpoint.json"
                ),
                (
                    "image", "imagesMissing",
                    "sed -i '/\"images\"/,/]/ s/sha256:..../sha256:0000/' checkpoint.json"
                ),
            ] {
                let damaged = "\(node.folder.path)/\(name)"
                try await shell("cp -r --sparse=always \"$1\" \"$2\" && cd \"$2\" && \(damage)", folder, damaged)
                try await refuses(reason, [config], from: damaged)
            }
        }

        @Test func aCheckpointThatIsCutShortLeavesThePodRunningAndNoFiles() async throws {
            try await withPlainNode { node, client in
                let saved = try await client.runPod(pod("saved"))
                let counter = try await client.runContainer(
                    in: saved, container("counter", ["sh", "-c", Self.counting]))
                try await eventually("it counts") { try await self.count(client, counter) > 0 }
                let machines = try await node.machineProcesses()

                // The client hangs up.
                try await cutShort(node, saved, counter, "hung-up") { other in await other.close() }
                try await goesOn(client, counter)
                // The daemon dies.
                try await cutShort(node, saved, counter, "killed") { _ in
                    try await node.killDaemon()
                    try await node.startDaemon()
                }
                let next = try await node.connect()
                #expect(try await node.machineProcesses() == machines)
                #expect(try await next.containerStatus(counter).state == .CONTAINER_RUNNING)
                try await goesOn(next, counter)
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
                let folder = try newFolder(node, "\(name)-\(attempt)")
                let client = try await node.connect()
                let call = Task { try await checkpoint(client, pod, [container], folder) }
                try await eventually("the state is written") {
                    var status = stat()
                    return stat("\(folder)/machine.state", &status) == 0 && status.st_size > 0
                }
                try await cut(client)
                guard case .failure = await call.result else { continue }
                try await eventually("no file is left") { try files(folder).isEmpty }
                return
            }
            throw SupportError("the checkpoint was faster each time")
        }
    }
}
