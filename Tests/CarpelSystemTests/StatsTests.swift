import CarpelAPI
import CarpelClient
import CarpelCore
import Foundation
import TestSupport
import Testing

extension CarpelClient {
    func stats(of container: String) async throws -> ContainerStats {
        let answer = try await call(Methods.containerStats, ContainerStatsRequest { $0.containerId = container })
        return answer.stats ?? ContainerStats()
    }

    func podStats(_ pod: String) async throws -> PodSandboxStats {
        let answer = try await call(Methods.podSandboxStats, PodSandboxStatsRequest { $0.podSandboxId = pod })
        return answer.stats ?? PodSandboxStats()
    }

    func listedStats(_ set: (inout ContainerStatsFilter) -> Void = { _ in }) async throws -> [String] {
        let request = ListContainerStatsRequest { $0.filter = ContainerStatsFilter { set(&$0) } }
        return try await call(Methods.listContainerStats, request).stats.compactMap { $0.attributes?.id }
    }
}

extension SystemTests {
    @Suite(.serialized) struct StatsTests {
        @Test func whatAPodUsesIsCountedAndShown() async throws {
            let network = try await TestNetwork()
            let folder = try TemporaryFolder()
            let settings = """
                networks: { default: network-bridge }
                plugins: { folders: [\(try installPlugins(["network-bridge"], in: folder))] }

                """
            try await Node.with(settings: settings, folder: folder, network: network) { node, client in
                try await client.importImage(try await Fixtures.shared.layout(), as: testImage)
                let pod = try await client.runPod(podConfig("counted"))
                let busy = try await client.runContainer(
                    in: pod, containerConfig("busy", testImage, ["sh", "-c", "while :; do :; done"]))
                let calm = try await client.runContainer(
                    in: pod,
                    containerConfig(
                        "calm", testImage,
                        [
                            "sh", "-c",
                            "until [ -e /go ]; do sleep 0.1; done; dd if=/dev/zero bs=20M count=1 | sleep 1000",
                        ]
                    ) { $0.labels = ["tier": "calm"] })

                try await usage(of: busy, calm, in: pod, client)
                try await traffic(of: pod, calm, client)
                try await lists(busy, calm, pod, client)
                try await streams(busy, calm, pod, client)
                try await metrics(of: pod, calm, client)
                try await commands(node)

                try await client.stopContainer(calm, timeout: 0)
                #expect(try await client.listedStats() == [busy])
                await #expect { try await client.stats(of: calm) } throws: {
                    ($0 as? CarpelError)?.reason == "containerNotRunning"
                }
                try await client.stopPod(pod)
                #expect(try await client.listedStats().isEmpty)
                await #expect { try await client.podStats(pod) } throws: {
                    ($0 as? CarpelError)?.reason == "podNotReady"
                }
            }
            try await network.remove()
        }

        private func usage(of busy: String, _ calm: String, in pod: String, _ client: CarpelClient) async throws {
            // In the guest's time, in which an emulated CPU is busy however little of the node's it gets.
            try await eventually("the busy container is seen to use about a core", within: .seconds(90)) {
                guard let rate = try await client.stats(of: busy).cpu?.usageNanoCores?.value else { return false }
                return (300_000_000...1_500_000_000).contains(rate)
            }
            let before = try await client.stats(of: calm)
            #expect((before.memory?.rssBytes?.value ?? .max) < 15 << 20)
            #expect(before.cpu?.usageCoreNanoSeconds?.value ?? 0 > 0 && before.cpu?.timestamp ?? 0 > 0)
            #expect(before.cpu?.psi?.Some != nil && before.swap != nil && before.io?.psi != nil)
            _ = try await client.exec(calm, "touch", "/go")
            try await eventually("the memory is seen to have grown", within: .seconds(90)) {
                let memory = try await client.stats(of: calm).memory
                return memory?.workingSetBytes?.value ?? 0 > 19 << 20 && memory?.rssBytes?.value ?? 0 > 19 << 20
            }
            let stats = try await client.podStats(pod)
            #expect(stats.linux?.containers.count == 2 && stats.attributes?.metadata?.name == "counted")
            #expect(stats.linux?.process?.processCount?.value ?? 0 >= 3)
            #expect((19 << 20..<128 << 20).contains(stats.linux?.memory?.workingSetBytes?.value ?? 0))
            let machine = try #require(stats.carpel?.machine)
            #expect(machine.virtualCpus == 1 && machine.memoryBytes == 128 << 20)
            #expect((1 << 20..<300 << 20).contains(machine.overheadBytes))
            #expect((30 << 20..<300 << 20).contains(machine.guestResidentBytes?.value ?? 0))
            #expect(machine.virtualCpuCoreNanoSeconds > 0 && machine.overheadCoreNanoSeconds > 0)
            print("a machine's overhead: \(ByteCount(Int64(machine.overheadBytes)))")
            try await eventually("the writable layer is measured", within: .seconds(90)) {
                try await client.stats(of: calm).writableLayer?.inodesUsed?.value ?? 0 >= 2
            }
        }

        private func traffic(of pod: String, _ container: String, _ client: CarpelClient) async throws {
            func counted() async throws -> (received: UInt64, sent: UInt64) {
                let network = try await client.podStats(pod).linux?.network?.defaultInterface
                #expect(network?.name == "eth0")
                return (network?.rxBytes?.value ?? 0, network?.txBytes?.value ?? 0)
            }
            let before = try await counted()
            #expect(try await client.exec(container, "ping", "-c", "3", "-s", "1200", "10.88.0.1").code == 0)
            let after = try await counted()
            #expect(after.received >= before.received + 3600 && after.sent >= before.sent + 3600)
        }

        private func lists(_ busy: String, _ calm: String, _ pod: String, _ client: CarpelClient) async throws {
            let clock = ContinuousClock.now
            #expect(try await client.listedStats() == [calm, busy])
            print("the stats of a pod with two containers: \(ContinuousClock.now - clock)")
            #expect(try await client.listedStats { $0.labelSelector = ["tier": "calm"] } == [calm])
            #expect(try await client.listedStats { $0.id = String(busy.prefix(12)) } == [busy])
            #expect(try await client.listedStats { $0.podSandboxId = "0000" }.isEmpty)
            let request = ListPodSandboxStatsRequest {
                $0.filter = PodSandboxStatsFilter { $0.labelSelector = ["app": "counted"] }
            }
            #expect(
                try await client.call(Methods.listPodSandboxStats, request).stats.map { $0.attributes?.id } == [pod])
        }

        private func streams(_ busy: String, _ calm: String, _ pod: String, _ client: CarpelClient) async throws {
            var containers: [String?] = []
            for try await part in try await client.subscribe(
                Methods.streamContainerStats, StreamContainerStatsRequest())
            {
                containers += part.item.containerStats.map { $0.attributes?.id }
            }
            #expect(containers == [calm, busy])
            var metrics: [String] = []
            for try await part in try await client.subscribe(
                Methods.streamPodSandboxMetrics, StreamPodSandboxMetricsRequest())
            {
                metrics += part.item.podSandboxMetrics.map(\.podSandboxId)
            }
            #expect(metrics == [pod])
        }

        private func metrics(of pod: String, _ container: String, _ client: CarpelClient) async throws {
            let descriptors = try await client.call(Methods.listMetricDescriptors, ListMetricDescriptorsRequest())
                .descriptors
            let keys = Dictionary(uniqueKeysWithValues: descriptors.map { ($0.name, $0.labelKeys) })
            let answer = try await client.call(Methods.listPodSandboxMetrics, ListPodSandboxMetricsRequest())
            let metrics = try #require(answer.podMetrics.first)
            #expect(metrics.podSandboxId == pod && metrics.containerMetrics.count == 2)
            let all = metrics.metrics + metrics.containerMetrics.flatMap(\.metrics)
            #expect(all.allSatisfy { keys[$0.name]?.count == $0.labelValues.count && $0.value != nil })
            let received = try #require(metrics.metrics.first { $0.name == "container_network_receive_bytes_total" })
            #expect(received.labelValues.last == "eth0" && received.metricType == .COUNTER)
            let own = try #require(metrics.containerMetrics.first { $0.containerId == container })
            let memory = try #require(own.metrics.first { $0.name == "container_memory_working_set_bytes" })
            #expect(memory.value?.value ?? 0 > 19 << 20 && memory.labelValues.contains("calm"))
        }

        /// `stats` and `top`, on a terminal and off it.
        private func commands(_ node: Node) async throws {
            let carpel = "\(repository)/.build/debug/carpel"
            let once = try await shell("\"$1\" --socket \"$2\" stats --no-stream", carpel, node.socket)
            #expect(once.hasPrefix("CONTAINER") && once.contains("counted/busy") && once.contains("counted/calm"))
            let pods = try await shell("\"$1\" --socket \"$2\" stats --pods", carpel, node.socket)
            #expect(pods.contains("MACHINE OVERHEAD") && pods.split(separator: "\n").count == 2)
            let json = try await shell(
                "\"$1\" --socket \"$2\" stats --format json counted/calm | jq -r '.[].attributes.metadata.name'",
                carpel,
                node.socket)
            #expect(json == "calm\n")
            let plain = try await shell("\"$1\" --socket \"$2\" top", carpel, node.socket)
            #expect(plain.split(separator: "\n").map { $0.prefix(8) }.contains("  busy  "))
            #expect(!plain.contains("\u{1B}"))

            let top = try TerminalProcess(carpel, ["--socket", node.socket, "top"], columns: 100)
            try await eventually("top shows plots") { top.screen.contains("LAST MINUTE") && top.screen.contains("█") }
            #expect(!top.isCooked)
            let order = { top.screen.components(separatedBy: "  busy").first?.contains("  calm") == false }
            #expect(order())
            top.type("m")
            try await eventually("memory decides the order") { !order() }
            top.type("c")
            try await eventually("CPU decides the order") { order() }
            top.type("q")
            #expect(try await top.end() == 0)
            #expect(top.isCooked && top.output.hasSuffix("\u{1B}[?25h\u{1B}[?1049l"))

            for signal in [SIGTERM, SIGQUIT] {
                let stats = try TerminalProcess(carpel, ["--socket", node.socket, "stats"], columns: 100)
                try await eventually("stats shows the containers") { stats.screen.contains("counted/busy") }
                try stats.signal(signal)
                _ = try await stats.end()
                #expect(stats.isCooked && stats.output.hasSuffix("\u{1B}[?25h\u{1B}[?1049l"))
            }
        }

        @Test func aPodWhoseGuestIsSilentIsLeftOutOfLists() async throws {
            try await withFakeNode { node, client in
                var pods: [String] = []
                for name in ["loud", "silent"] {
                    let pod = try await client.runPod(podConfig(name))
                    _ = try await client.runContainer(in: pod, containerConfig("c", testImage, ["sleep"]))
                    pods.append(pod)
                }
                #expect(try await client.listedStats().count == 2)
                await node.hypervisor.machines[pods[1]]?.guest.fallSilent()
                let list = ListPodSandboxStatsRequest()
                let stats = try await client.call(Methods.listPodSandboxStats, list).stats
                #expect(stats.map { $0.attributes?.id } == [pods[0]])
                #expect(stats[0].linux?.memory?.workingSetBytes?.value == 9 << 20)
                var streamed: [String?] = []
                for try await part in try await client.subscribe(
                    Methods.streamPodSandboxStats, StreamPodSandboxStatsRequest())
                {
                    streamed += part.item.podSandboxStats.map { $0.attributes?.id }
                }
                #expect(streamed == [pods[0]])
                await #expect { try await client.podStats(pods[1]) } throws: {
                    ($0 as? CarpelError)?.reason == "agentSilent"
                }
                // The fake's containers have always used a core.
                try await eventually("a second has passed") {
                    let rate = try await client.podStats(pods[0]).linux?.cpu?.usageNanoCores?.value ?? 0
                    return (990_000_000...1_010_000_000).contains(rate)
                }
                await node.hypervisor.machines[pods[1]]?.die()
            }
        }
    }
}
