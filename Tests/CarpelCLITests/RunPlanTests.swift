import ArgumentParser
import CarpelAPI
import CarpelCore
import Foundation
import Testing

@testable import CarpelCLI

struct RunPlanTests {
    private func plan(_ arguments: String..., image: String = "busybox", command: [String] = []) async throws -> RunPlan
    {
        let options = try await RunOptions.given(arguments)
        return try RunPlan(
            image: image, command: command, options: options, environment: ["HOME": "/root"], suffix: "abc123")
    }

    private func container(_ plan: RunPlan) -> ContainerConfig { plan.container(imageID: "sha256:1") }

    @Test func thePodAndTheContainerShareTheName() async throws {
        let plan = try await plan("--name", "web", "--label", "tier=front")
        #expect(plan.pod?.metadata?.name == "web")
        #expect(plan.pod?.metadata?.namespace == "default")
        #expect(plan.pod?.hostname == "")
        #expect(plan.pod?.labels == ["tier": "front"])
        #expect(container(plan).metadata?.name == "web")
        #expect(container(plan).logPath == "web.log")
        #expect(container(plan).labels == ["tier": "front"])
    }

    @Test(arguments: [
        ("docker.io/library/busybox", "busybox-abc123"), ("127.0.0.1:5000/tools/Busy_Box:1.36", "busy-box-abc123"),
        ("app@sha256:0123", "app-abc123"), ("sha256:0123", "sha256-abc123"), ("///", "pod-abc123"),
    ])
    func aNameIsMadeOfTheImages(image: String, name: String) async throws {
        #expect(try await plan(image: image).pod?.metadata?.name == name)
    }

    @Test func theImageIsTheOneThatWasFoundAndTheNameTheOneThatWasTyped() async throws {
        let config = try await container(plan())
        #expect(config.image?.image == "sha256:1")
        #expect(config.image?.userSpecifiedImage == "busybox")
    }

    @Test func theCommandReplacesTheImagesArguments() async throws {
        let config = try await container(plan("--entrypoint", "/bin/sh", command: ["-c", "ls"]))
        #expect(config.command == ["/bin/sh"])
        #expect(config.args == ["-c", "ls"])
    }

    @Test func limitsAreTheContainersAndTheMachines() async throws {
        let plan = try await plan("--cpus", "1.5", "--memory", "128Mi")
        for resources in [container(plan).linux?.resources, plan.pod?.linux?.resources] {
            #expect(resources?.cpuPeriod == 100_000)
            #expect(resources?.cpuQuota == 150_000)
            #expect(resources?.memoryLimitInBytes == 134_217_728)
        }
    }

    @Test func variablesHaveAValueOrTakeTheCallers() async throws {
        let envs = try await container(plan("-e", "A=b=c", "-e", "HOME", "-e", "UNSET", "-e", "EMPTY=")).envs
        #expect(
            envs.map { "\($0.key)=\(String(decoding: $0.value, as: UTF8.self))" } == ["A=b=c", "HOME=/root", "EMPTY="])
    }

    @Test func usersAreNumbersOrNames() async throws {
        let numbers = try await container(plan("-u", "1000:100")).linux?.securityContext
        #expect(numbers?.runAsUser?.value == 1000)
        #expect(numbers?.runAsGroup?.value == 100)
        #expect(try await container(plan("-u", "nobody")).linux?.securityContext?.runAsUsername == "nobody")
        #expect(try await container(plan()).linux?.securityContext?.runAsUser == nil)
    }

    @Test func capabilitiesAndPrivilegesArePassedOn() async throws {
        let plan = try await plan("--privileged", "--read-only", "--cap-add", "NET_RAW", "--cap-drop", "ALL")
        let security = container(plan).linux?.securityContext
        #expect(security?.privileged == true)
        #expect(security?.readonlyRootfs == true)
        #expect(security?.capabilities?.addCapabilities == ["NET_RAW"])
        #expect(security?.capabilities?.dropCapabilities == ["ALL"])
        #expect(plan.pod?.linux?.securityContext?.privileged == true)
    }

    @Test func twoMountsCannotShareATarget() async throws {
        let options = try await RunOptions.given(["-v", "a:/data", "--tmpfs", "/data"])
        let error = #expect(throws: CarpelError.self) { try RunPlan(image: "busybox", command: [], options: options) }
        #expect(error?.message.contains("/data") == true)
    }

    @Test func aContainerForAnExistingPodMakesNoPod() async throws {
        #expect(try await plan("--pod", "web").pod == nil)
    }

    @Test(arguments: [
        ("8080:80", "", 8080, 80, NetworkProtocol.TCP), ("127.0.0.1:53:5353/udp", "127.0.0.1", 53, 5353, .UDP),
        ("[fd00::1]:80:8080/SCTP", "fd00::1", 80, 8080, .SCTP), ("[::]:1:65535", "::", 1, 65535, .TCP),
    ])
    func portsArePublishedAsDockerUsersExpect(
        text: String, address: String, hostPort: Int32, containerPort: Int32, transport: NetworkProtocol
    ) async throws {
        let mapping = try #require(try await plan("-p", text).pod?.portMappings.first)
        #expect(mapping.hostIp == address)
        #expect(mapping.hostPort == hostPort)
        #expect(mapping.containerPort == containerPort)
        #expect(mapping.protocol == transport)
    }

    @Test func pathsOfTheNodeAreMountedAsTheyAre() async throws {
        let plan = try await plan("-v", "/srv/data:/data", "-v", "./sub:/sub:ro")
        let mounts = container(plan).mounts
        #expect(mounts.map(\.containerPath) == ["/data", "/sub"])
        #expect(mounts.map(\.hostPath) == ["/srv/data", FileManager.default.currentDirectoryPath + "/sub"])
        #expect(mounts.map(\.readonly) == [false, true])
        #expect(plan.pod?.carpel == nil)
    }

    @Test func namedVolumesAreThePodsAndTheContainersMountThem() async throws {
        let plan = try await plan("-v", "data:/data", "-v", "data:/again:ro", "-v", "shared:/shared:ro")
        let volumes = try #require(plan.pod?.carpel?.volumes)
        #expect(volumes.map(\.name) == ["data", "shared"])
        #expect(volumes.map { $0.persistent?.volume } == ["data", "shared"])
        #expect(volumes.map { $0.persistent?.accessMode } == [.SINGLE_WRITER, .MULTI_READER])
        #expect(container(plan).mounts.map { $0.carpel?.volume } == ["data", "data", "shared"])
        #expect(container(plan).mounts.map(\.readonly) == [false, true, true])
        #expect(container(plan).mounts.allSatisfy { $0.hostPath.isEmpty })
    }

    @Test func aTmpfsIsMemoryOfThePod() async throws {
        let plan = try await plan("--tmpfs", "/run:size=64Mi", "--tmpfs", "/tmp")
        let volumes = try #require(plan.pod?.carpel?.volumes)
        #expect(volumes.map { $0.emptyDir?.medium } == [.MEMORY, .MEMORY])
        #expect(volumes.map { $0.emptyDir?.sizeLimitBytes } == [67_108_864, 0])
        #expect(container(plan).mounts.map { $0.carpel?.volume } == volumes.map(\.name))
        #expect(container(plan).mounts.map(\.containerPath) == ["/run", "/tmp"])
    }

    @Test func mountSaysTheSameInMoreWords() async throws {
        let plan = try await plan(
            "--mount", "type=bind,source=/srv,target=/a,readonly", "--mount", "src=data,dst=/b", "--mount",
            "type=tmpfs,destination=/c,size=1Mi")
        let mounts = container(plan).mounts
        #expect(mounts.map(\.containerPath) == ["/a", "/b", "/c"])
        #expect(mounts.map(\.hostPath) == ["/srv", "", ""])
        #expect(mounts.map(\.readonly) == [true, false, false])
        #expect(plan.pod?.carpel?.volumes.first { $0.persistent != nil }?.persistent?.volume == "data")
        #expect(plan.pod?.carpel?.volumes.first { $0.emptyDir != nil }?.emptyDir?.sizeLimitBytes == 1 << 20)
    }

    @Test func theFirstNetworkIsThePodsOwnAndGetsTheAddress() async throws {
        let networks = try #require(
            try await plan("--network", "front", "--network", "back", "--ip", "10.1.0.5").pod?.carpel?.networks)
        #expect(networks.map(\.name) == ["front", "back"])
        #expect(networks.map(\.addresses) == [["10.1.0.5"], []])
        #expect(try await plan("--ip", "10.1.0.5").pod?.carpel?.networks.map(\.name) == [""])
    }

    @Test func aContainerForAnExistingPodMountsThePodsVolumes() async throws {
        let plan = try await plan("--pod", "web", "-v", "data:/data")
        #expect(plan.pod == nil)
        #expect(container(plan).mounts.map { $0.carpel?.volume } == ["data"])
        for pods in [["-p", "80:80"], ["--network", "n"], ["--ip", "10.0.0.1"]] {
            await #expect(throws: (any Error).self) { try await RunOptions.given(["--pod", "web"] + pods) }
        }
    }

    @Test(arguments: [
        ["--publish", "80"], ["--publish", "0:80"], ["--publish", "80:70000"], ["--publish", "80:80/icmp"],
        ["--publish", "::1:80:80"], ["--publish", "80:80/tcp/udp"], ["--volume", "data"],
        ["--volume", "data:relative"],
        ["--volume", ":/data"], ["--volume", "data:/data:rw:ro"], ["--volume", "data:/data:shared"],
        ["--tmpfs", "relative"], ["--tmpfs", "/run:mode=700"], ["--tmpfs", "/run:size=much"], ["--tmpfs", "/run:"],
        ["--mount", "type=bind,target=/a"], ["--mount", "type=npipe,source=a,target=/a"],
        ["--mount", "source=a,target=/a,size=1Mi"], ["--mount", "source=a,target=/a,propagation=shared"],
        ["--memory", "much"], ["--memory", "0"], ["--cpus", "0"], ["--user", "web:staff"], ["--label", "x"],
        ["--env", "=x"],
    ])
    func valuesThatMeanNothingAreInvalidArguments(arguments: [String]) async throws {
        let options = try await RunOptions.given(arguments)
        let error = #expect(throws: CarpelError.self) { try RunPlan(image: "busybox", command: [], options: options) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains(arguments[0]) == true)
    }
}

extension RunOptions {
    /// As they stand before an image.
    fileprivate static func given(_ arguments: [String]) async throws -> RunOptions {
        try #require(try await CarpelCommand.asyncParseAsRoot(["run"] + arguments + ["busybox"]) as? RunCommand).options
    }
}
