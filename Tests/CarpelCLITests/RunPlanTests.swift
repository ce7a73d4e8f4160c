import ArgumentParser
import CarpelAPI
import CarpelCore
import Foundation
import Testing

@testable import CarpelCLI

struct RunPlanTests {
    private func plan(_ arguments: String..., image: String = "busybox", command: [String] = []) throws -> RunPlan {
        let options = try RunOptions.parse(arguments)
        return try RunPlan(
            image: image, command: command, options: options, environment: ["HOME": "/root"], suffix: "abc123")
    }

    private func container(_ plan: RunPlan) throws -> ContainerConfig {
        try #require(plan.createContainer(podID: "p", imageID: "sha256:1").config)
    }

    @Test func thePodAndTheContainerShareTheName() throws {
        let plan = try plan("--name", "web", "--label", "tier=front")
        #expect(plan.pod?.metadata?.name == "web")
        #expect(plan.pod?.metadata?.namespace == "default")
        #expect(plan.pod?.hostname == "")
        #expect(plan.pod?.labels == ["tier": "front"])
        #expect(try container(plan).metadata?.name == "web")
        #expect(try container(plan).logPath == "web.log")
        #expect(try container(plan).labels == ["tier": "front"])
    }

    @Test(arguments: [
        ("docker.io/library/busybox", "busybox-abc123"), ("127.0.0.1:5000/tools/Busy_Box:1.36", "busy-box-abc123"),
        ("app@sha256:0123", "app-abc123"), ("sha256:0123", "sha256-abc123"), ("///", "pod-abc123"),
    ])
    func aNameIsMadeOfTheImages(image: String, name: String) throws {
        #expect(try plan(image: image).pod?.metadata?.name == name)
    }

    @Test func theImageIsTheOneThatWasFoundAndTheNameTheOneThatWasTyped() throws {
        let config = try container(plan())
        #expect(config.image?.image == "sha256:1")
        #expect(config.image?.userSpecifiedImage == "busybox")
    }

    @Test func theCommandReplacesTheImagesArguments() throws {
        let config = try container(plan("--entrypoint", "/bin/sh", command: ["-c", "ls"]))
        #expect(config.command == ["/bin/sh"])
        #expect(config.args == ["-c", "ls"])
    }

    @Test func limitsAreTheContainersAndTheMachines() throws {
        let plan = try plan("--cpus", "1.5", "--memory", "128Mi")
        for resources in [try container(plan).linux?.resources, plan.pod?.linux?.resources] {
            #expect(resources?.cpuPeriod == 100_000)
            #expect(resources?.cpuQuota == 150_000)
            #expect(resources?.memoryLimitInBytes == 134_217_728)
        }
    }

    @Test func variablesHaveAValueOrTakeTheCallers() throws {
        let envs = try container(plan("-e", "A=b=c", "-e", "HOME", "-e", "UNSET", "-e", "EMPTY=")).envs
        #expect(
            envs.map { "\($0.key)=\(String(decoding: $0.value, as: UTF8.self))" } == ["A=b=c", "HOME=/root", "EMPTY="])
    }

    @Test func usersAreNumbersOrNames() throws {
        let numbers = try container(plan("-u", "1000:100")).linux?.securityContext
        #expect(numbers?.runAsUser?.value == 1000)
        #expect(numbers?.runAsGroup?.value == 100)
        #expect(try container(plan("-u", "nobody")).linux?.securityContext?.runAsUsername == "nobody")
        #expect(try container(plan()).linux?.securityContext?.runAsUser == nil)
    }

    @Test func capabilitiesAndPrivilegesArePassedOn() throws {
        let plan = try plan("--privileged", "--read-only", "--cap-add", "NET_RAW", "--cap-drop", "ALL")
        let security = try container(plan).linux?.securityContext
        #expect(security?.privileged == true)
        #expect(security?.readonlyRootfs == true)
        #expect(security?.capabilities?.addCapabilities == ["NET_RAW"])
        #expect(security?.capabilities?.dropCapabilities == ["ALL"])
        #expect(plan.pod?.linux?.securityContext?.privileged == true)
    }

    @Test func aContainerForAnExistingPodMakesNoPod() throws {
        #expect(try plan("--pod", "web").pod == nil)
    }

    @Test(arguments: [
        ["--memory", "much"], ["--memory", "0"], ["--cpus", "0"], ["--user", "web:staff"], ["--label", "x"],
        ["--env", "=x"],
    ])
    func valuesThatMeanNothingAreInvalidArguments(arguments: [String]) throws {
        let options = try RunOptions.parse(arguments)
        let error = #expect(throws: CarpelError.self) { try RunPlan(image: "busybox", command: [], options: options) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains(arguments[0]) == true)
    }
}
