import CarpelAPI
import CarpelClient
import CarpelCore
import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// Pods that are saved on one node and restored on another, which share nothing but the machine under them.
    @Suite(.serialized) struct OtherNodeTests {
        private let configs = [
            countingContainer("counter", ["sh", "-c", countingScript]),
            countingContainer("server", ["httpd", "-f", "-p", "8080", "-h", "/disk"]),
        ]

        @Test(.timeLimit(.minutes(5))) func aPodGoesOnOnAnotherNodeThatHasItsImages() async throws {
            try await withBridgedNode { node, client, _ in
                let saved = try await client.runPod(countingPod("saved"))
                var containers: [String] = []
                for config in configs { containers.append(try await client.runContainer(in: saved, config)) }
                try await eventually("it counts") { try await client.count(containers[0]) > 10 }
                let before = try await client.count(containers[0])
                let folder = try node.newFolder("checkpoint")
                try await client.checkpoint(saved, containers, folder)
                let address = try await client.podStatus(saved).status?.network?.ip ?? ""

                try await withBridgedNode(["10.99.0.0/16", "fd99::/64"], imported: false) { node, other, network in
                    // As it came from the other node.
                    let copy = "\(node.folder.path)/copy"
                    try await shell("cp -r --sparse=always \"$1\" \"$2\"", folder, copy)
                    try await refusesWithoutImages(node, other, copy)
                    try await other.importImage(try await Fixtures.shared.layout(), as: testImage)
                    let restored = try await other.restore(copy, countingPod("moved"), configs)
                    try await shell("rm -r \"$1\"", copy)
                    try await goesOn(restored, before: before, from: address, node, other, network)
                }
                try await client.goesOn(containers[0])
                #expect(try await client.podStatus(saved).status?.network?.ip == address)
            }
        }

        private func refusesWithoutImages(_ node: Node, _ client: CarpelClient, _ folder: String) async throws {
            let error = await #expect(throws: CarpelError.self) {
                _ = try await client.restore(folder, countingPod("moved"), configs)
            }
            #expect(error?.code == .failedPrecondition && error?.reason == "imagesMissing")
            // Which, and what to do about it.
            #expect(error?.message.contains(testImage) == true && error?.message.contains("PullImage") == true)
            #expect(try await client.pods().isEmpty)
            #expect(try await node.machineProcesses().isEmpty)
        }

        private func goesOn(
            _ restored: RestorePodResponse, before: Int, from former: String, _ node: Node, _ client: CarpelClient,
            _ network: TestNetwork
        ) async throws {
            let ids = restored.restoredContainers.map(\.containerId)
            for id in ids { try await client.startContainer(id) }
            // A file that is just being written anew is empty for a moment.
            try await eventually("it goes on behind where it was") { try await client.count(ids[0]) > before }
            let written = try await client.exec(ids[0], "cat", "/written").out.split(separator: "\n")
            #expect(written.compactMap { Int($0) } == Array(1...written.count))

            let status = try await client.podStatus(restored.podSandboxId).status?.network
            let address = status?.ip ?? ""
            #expect(address.hasPrefix("10.99.") && status?.additionalIps.first?.ip.hasPrefix("fd99:") == true)
            // Of the files that are there each is being written.
            let answer = "curl -sS --max-time 20 -o /dev/null -w '%{http_code}' http://\(address):8080/none"
            #expect(try await network.shell(answer) == "404")
            let seen = try await client.exec(
                ids[1], "sh", "-c", "hostname; cat /etc/hosts; ip -o addr show eth0; ip route"
            ).out
            #expect(seen.hasPrefix("moved\n") && seen.contains("inet \(address)/") && seen.contains("inet6 fd99:"))
            #expect(!seen.contains(former) && !seen.contains("fd88:"), "\(seen)")

            // Its log and its records are this node's, too.
            let log = try await client.containerStatus(ids[0]).logPath
            #expect(log.hasPrefix(node.root))
            try await eventually("the log is written") {
                (try? String(contentsOfFile: log, encoding: .utf8))?.contains("stdout") ?? false
            }
            try await node.restartDaemon()
            let next = try await node.connect()
            #expect(try await next.podState(restored.podSandboxId) == .SANDBOX_READY)
            try await next.goesOn(ids[0])
        }

        /// What was plugged into the machine is part of its state, and none of it is of the node that it was saved on.
        @Test(.timeLimit(.minutes(5))) func aMachineThatHasGrownIsRestoredAsLargeAsItWas() async throws {
            let growing = "pods: { maximumVirtualCPUs: 3, maximumMemory: 1Gi }\n"
            try await withPlainNode(settings: growing) { node, client in
                let saved = try await client.runPod(countingPod("saved"))
                let config = configs[0]
                let counter = try await client.runContainer(in: saved, config)
                // A module of memory each.
                try await client.update(counter) { $0.memoryLimitInBytes = 200 << 20 }
                try await client.update(counter) {
                    $0.memoryLimitInBytes = 400 << 20
                    $0.cpuQuota = 150_000
                    $0.cpuShares = 512
                    $0.oomScoreAdj = 300
                }
                try await client.updatePod(saved) {
                    $0.memoryLimitInBytes = 420 << 20
                    $0.cpuQuota = 170_000
                }
                let memory = "grep MemTotal /proc/meminfo; nproc"
                let before = try await client.exec(counter, "sh", "-c", memory).out
                #expect(before.hasSuffix("\n2\n"))
                let folder = try node.newFolder("checkpoint")
                try await client.checkpoint(saved, [counter], folder)

                // A node that would not let a pod grow at all.
                let fixed = "pods: { maximumVirtualCPUs: 1, maximumMemory: 128Mi }\n"
                try await withPlainNode(settings: fixed) { _, other in
                    var wanted = config
                    wanted.linux = LinuxContainerConfig {
                        $0.resources = LinuxContainerResources {
                            $0.memoryLimitInBytes = 300 << 20
                            $0.cpuQuota = 80_000
                        }
                    }
                    for (name, config, limits) in [
                        ("as-asked", config, "max 100000\nmax\n100\n0\n"),
                        ("limited", wanted, "80000 100000\n\(300 << 20)\n100\n0\n"),
                    ] {
                        let restored = try await other.restore(folder, countingPod(name), [config])
                        let id = restored.restoredContainers[0].containerId
                        try await other.startContainer(id)
                        try await other.goesOn(id)
                        #expect(try await other.exec(id, "sh", "-c", memory).out == before)
                        let machine = try await other.machine(of: restored.podSandboxId)
                        #expect(machine.cpus == 2 && machine.memory == 420 << 20 && machine.surplus == nil)
                        // The limits are those of the request, not what updates had made of them where it was saved.
                        let inForce = try await other.exec(
                            id, "sh", "-c",
                            "cd /sys/fs/cgroup; cat cpu.max memory.max cpu.weight /proc/$(head -n 1 cgroup.procs)/oom_score_adj"
                        ).out
                        #expect(inForce == limits)
                        // Of what was plugged in, in one piece.
                        let allocation = try await other.exec(
                            id, "dd", "if=/dev/zero", "of=/dev/null", "bs=250M", "count=1", timeout: 120)
                        #expect(allocation.code == 0, "\(allocation.err)")
                        try await expectGrowth(of: id, in: restored.podSandboxId, other)
                        try await other.removePod(restored.podSandboxId)
                    }
                }
                try await client.goesOn(counter)
                #expect(try await client.exec(counter, "cat", "/sys/fs/cgroup/cpu.max").out == "150000 100000\n")
            }
        }

        /// As far as the machine that was saved could.
        private func expectGrowth(of container: String, in pod: String, _ client: CarpelClient) async throws {
            try await client.update(container) {
                $0.cpuQuota = 300_000
                $0.memoryLimitInBytes = 600 << 20
            }
            let machine = try await client.machine(of: pod)
            #expect(machine.cpus == 3 && machine.memory == 600 << 20)
            #expect(try await client.exec(container, "nproc").out == "3\n")
            await expectRefusal("machineAtMaximum") { try await client.update(container) { $0.cpuQuota = 400_000 } }
        }
    }
}
