import CarpelAPI
import CarpelClient
import CarpelCore
import Foundation
import TestSupport
import Testing

extension CarpelClient {
    func update(_ container: String, _ set: (inout LinuxContainerResources) -> Void) async throws {
        let request = UpdateContainerResourcesRequest {
            $0.containerId = container
            $0.linux = LinuxContainerResources { set(&$0) }
        }
        _ = try await call(Methods.updateContainerResources, request)
    }

    func updatePod(_ pod: String, _ set: (inout LinuxContainerResources) -> Void) async throws {
        let request = UpdatePodSandboxResourcesRequest {
            $0.podSandboxId = pod
            $0.resources = LinuxContainerResources { set(&$0) }
        }
        _ = try await call(Methods.updatePodSandboxResources, request)
    }

    /// `virtualCPUs` and `memoryBytes` of the pod's machine, and why it is larger than it need be.
    func machine(of pod: String) async throws -> (cpus: Int, memory: Int64, surplus: String?) {
        struct Info: Decodable {
            struct Surplus: Decodable { let reason: String }
            let virtualCPUs: Int
            let memoryBytes: Int64
            let surplus: Surplus?
        }
        let text = try await podStatus(pod).info["machine"] ?? ""
        let info = try JSONDecoder().decode(Info.self, from: Data(text.utf8))
        return (info.virtualCPUs, info.memoryBytes, info.surplus?.reason)
    }
}

extension SystemTests {
    @Suite(.serialized) struct ResourceTests {
        @Test func limitsChangeAndTheMachineGrowsWhereTheyNeedIt() async throws {
            let settings = "pods: { maximumVirtualCPUs: 2, maximumMemory: 1Gi }\n"
            try await Node.with(settings: settings) { node, client in
                try await client.importImage(try await Fixtures.shared.layout(), as: testImage)
                let pod = try await client.runPod()
                let id = try await client.runContainer(
                    in: pod,
                    containerConfig("c", testImage, ["sh", "-c", "while :; do sleep 1; done"]) {
                        $0.linux = LinuxContainerConfig {
                            $0.resources = LinuxContainerResources { $0.memoryLimitInBytes = 100 << 20 }
                        }
                    })
                func file(_ name: String) async throws -> String {
                    try await node.connect().exec(id, "cat", "/sys/fs/cgroup/\(name)").out
                }
                try await client.update(id) {
                    $0.cpuQuota = 50_000
                    $0.memoryLimitInBytes = 64 << 20
                    $0.unified = ["pids.max": "50"]
                }
                #expect(try await file("cpu.max") == "50000 100000\n")
                #expect(try await file("memory.max") == "\(64 << 20)\n")
                #expect(try await file("pids.max") == "50\n")
                let machine = try await client.machine(of: pod)
                #expect(machine.cpus == 1 && machine.memory == 128 << 20 && machine.surplus == nil)
                // One of them cannot be, so none of them is.
                await #expect {
                    try await client.update(id) {
                        $0.cpusetCpus = "0"; $0.cpuShares = 9; $0.cpusetMems = "7"
                    }
                } throws: {
                    ($0 as? CarpelError)?.reason == "cgroupFailed"
                }
                #expect(try await file("cpu.weight") == "100\n")
                #expect(try await client.exec(id, "nproc").out == "1\n")

                try await grow(id, in: pod, node, client)
                // Another daemon answers now.
                let client = try await node.connect()
                try await shrink(id, in: pod, client)

                let carpel = "\(repository)/.build/debug/carpel"
                #expect(
                    try await shell("\"$1\" --socket \"$2\" update --pids-limit 60 -c 512 web", carpel, node.socket)
                        == "web\n")
                #expect(try await file("pids.max") == "60\n")
                #expect(try await file("cpu.weight") == "59\n")
                let refused = try await shell("\"$1\" --socket \"$2\" update web 2>&1; echo $?", carpel, node.socket)
                #expect(refused.contains("name a limit") && refused.hasSuffix("\n2\n"))
            }
        }

        private func grow(_ id: String, in pod: String, _ node: Node, _ client: CarpelClient) async throws {
            let clock = ContinuousClock.now
            try await client.update(id) {
                $0.cpuQuota = 150_000
                $0.memoryLimitInBytes = 400 << 20
            }
            print("grown by a CPU and 272 MiB in \(ContinuousClock.now - clock)")
            var machine = try await client.machine(of: pod)
            #expect(machine.cpus == 2 && machine.memory == 400 << 20)
            let nproc = "nproc; cat /sys/fs/cgroup/cpuset.cpus.effective /sys/fs/cgroup/cpuset.cpus"
            let seen = try await client.exec(id, "sh", "-c", nproc).out
            #expect(seen == "2\n0-1\n\n")
            // More memory than the machine had, in one piece.
            let allocation = try await client.exec(
                id, "dd", "if=/dev/zero", "of=/dev/null", "bs=190M", "count=1", timeout: 120)
            #expect(allocation.code == 0)
            for reason in ["machineAtMaximum"] {
                await #expect { try await client.update(id) { $0.memoryLimitInBytes = 40 << 30 } } throws: {
                    ($0 as? CarpelError)?.reason == reason
                }
                await #expect { try await client.update(id) { $0.cpuQuota = 300_000 } } throws: {
                    ($0 as? CarpelError)?.reason == reason
                }
            }
            try await node.killDaemon()
            try await node.startDaemon()
            let client = try await node.connect()
            machine = try await client.machine(of: pod)
            #expect(machine.cpus == 2 && machine.memory == 400 << 20)
            let resources = try await client.containerStatus(id).resources?.linux
            #expect(resources?.cpuQuota == 150_000 && resources?.memoryLimitInBytes == 400 << 20)
            #expect(resources?.unified == ["pids.max": "50"])
            #expect(try await client.podStats(pod).carpel?.machine?.virtualCpus == 2)
        }

        private func shrink(_ id: String, in pod: String, _ client: CarpelClient) async throws {
            try await client.update(id) { $0.memoryLimitInBytes = 64 << 20 }
            try await client.updatePod(pod) {
                $0.memoryLimitInBytes = 200 << 20
                $0.cpuQuota = 50_000
            }
            var machine = try await client.machine(of: pod)
            #expect(machine.cpus == 2 && machine.memory == 400 << 20 && machine.surplus == "machineCannotShrink")
            let stats = try await client.podStats(pod).linux?.memory
            #expect((stats?.workingSetBytes?.value ?? 0) + (stats?.availableBytes?.value ?? 0) == 200 << 20)
            try await client.updatePod(pod) {
                $0.memoryLimitInBytes = 600 << 20
                $0.cpuQuota = 200_000
            }
            machine = try await client.machine(of: pod)
            #expect(machine.cpus == 2 && machine.memory == 600 << 20 && machine.surplus == nil)
        }

        @Test func limitsOfNewContainersAreUsable() async throws {
            let settings = "pods: { maximumVirtualCPUs: 2, maximumMemory: 512Mi }\n"
            try await withPlainNode(settings: settings) { node, client in
                func limited(_ name: String, _ quota: Int64, _ mebibytes: Int64) -> ContainerConfig {
                    containerConfig(name, testImage, ["sleep", "100000"]) {
                        $0.linux = LinuxContainerConfig {
                            $0.resources = LinuxContainerResources {
                                $0.cpuQuota = quota
                                $0.memoryLimitInBytes = mebibytes << 20
                            }
                        }
                    }
                }
                let pod = try await client.runPod()
                let within = try await client.createContainer(in: pod, limited("within", 50_000, 64))
                var machine = try await client.machine(of: pod)
                #expect(machine.cpus == 1 && machine.memory == 128 << 20)
                // Two at the same time need room for both.
                async let large = client.createContainer(in: pod, limited("large", 100_000, 250))
                async let small = client.createContainer(in: pod, limited("small", 20_000, 40))
                let (id, other) = try await (large, small)
                machine = try await client.machine(of: pod)
                #expect(machine.cpus == 2 && machine.memory == 354 << 20 && machine.surplus == nil)
                for id in [within, id, other] { try await client.startContainer(id) }
                #expect(try await client.exec(id, "nproc").out == "2\n")
                // More than the machine had, in one piece.
                let allocation = try await client.exec(
                    id, "dd", "if=/dev/zero", "of=/dev/null", "bs=190M", "count=1", timeout: 120)
                #expect(allocation.code == 0, "\(allocation.err)")

                // What no machine of this node may have is a limit all the same.
                let beyond = try await client.runContainer(in: pod, limited("beyond", 1_600_000, 65536))
                machine = try await client.machine(of: pod)
                #expect(machine.cpus == 2 && machine.memory == 512 << 20)
                #expect(try await client.exec(beyond, "cat", "/sys/fs/cgroup/cpu.max").out == "1600000 100000\n")
                #expect(node.log.contains("above what a machine may grow to"))

                // A pod that is told of its containers has the room from its start.
                func growths() -> Int { node.log.components(separatedBy: "the machine has grown").count }
                let before = growths()
                let whole = try await client.runPod(
                    podConfig("whole"), [limited("first", 150_000, 200), limited("second", 30_000, 56)])
                machine = try await client.machine(of: whole.podSandboxId)
                #expect(machine.cpus == 2 && machine.memory == 256 << 20)
                #expect(growths() == before)
            }
        }

        @Test func updatesThatCannotBeAreRefusedAndChangeNothing() async throws {
            try await withFakeNode { node, client in
                let pod = try await client.runPod()
                let id = try await client.createContainer(in: pod, containerConfig("c", testImage, ["sleep"]))
                func refusal(_ set: @escaping (inout LinuxContainerResources) -> Void) async -> String? {
                    do {
                        try await client.update(id, set)
                        return nil
                    } catch {
                        return (error as? CarpelError)?.reason
                    }
                }
                #expect(await refusal { $0.memoryLimitInBytes = 7 << 20 } == "memoryInUse")
                #expect(await refusal { $0.memoryLimitInBytes = 1 } == "memoryLimitTooSmall")
                #expect(await refusal { $0.cpuQuota = 5 } == "fieldInvalid")
                #expect(await refusal { $0.cpuQuota = 25_000_000 } == "machineAtMaximum")
                #expect(try await client.containerStatus(id).resources == nil)
                #expect(await refusal { $0.memoryLimitInBytes = 64 << 20 } == nil)
                #expect(await refusal { $0.cpuQuota = 20_000 } == nil)
                let resources = try await client.containerStatus(id).resources?.linux
                #expect(resources?.memoryLimitInBytes == 64 << 20 && resources?.cpuQuota == 20_000)
                // The same request again still means the container that was made of it.
                let again = try await client.createContainer(in: pod, containerConfig("c", testImage, ["sleep"]))
                #expect(again == id)

                try await client.startContainer(id)
                try await client.stopContainer(id, timeout: 0)
                _ = try await client.exit(of: id)
                #expect(await refusal { $0.memoryLimitInBytes = 64 << 20 } == "containerNotUpdatable")

                let config = try await client.call(Methods.runtimeConfig, RuntimeConfigRequest())
                #expect(config.linux?.cgroupDriver == .CGROUPFS)
                func range(_ text: String) -> UpdateRuntimeConfigRequest {
                    UpdateRuntimeConfigRequest {
                        $0.runtimeConfig = RuntimeConfig { $0.networkConfig = NetworkConfig { $0.podCidr = text } }
                    }
                }
                _ = try await client.call(Methods.updateRuntimeConfig, range("10.1.0.0/16,fd00::/64"))
                let status = try await client.call(Methods.status, StatusRequest { $0.verbose = true })
                #expect(status.info["podCidr"] == "\"10.1.0.0/16,fd00::/64\"")
                for bad in ["10.1.0.0", "10.1.0.0/33", "x/8", "10.0.0.0/8,"] {
                    await #expect(throws: CarpelError.self) {
                        try await client.call(Methods.updateRuntimeConfig, range(bad))
                    }
                }
            }
        }
    }
}
