import CarpelAPI
import CarpelCore
import CarpelGuestProtocol
import CarpelImages
import Foundation
import Testing

@testable import CarpelRuntime
@testable import CarpelSeccomp

private func spec(
    _ config: ContainerConfig, pod: PodSandboxConfig = samplePod(), image: ImageConfig = sampleImage()
) throws -> ContainerSpec {
    try containerSpec(id: "c1", config: config, sandbox: pod, image: image, layers: ["l1", "l2"])
}

private let privilegedPod = samplePod { $0.secure { $0.privileged = true } }

@Suite struct ContainerSpecTests {
    @Test func identityLayersAndPathsAreHandedOn() throws {
        let spec = try spec(
            sampleContainer {
                $0.stdin = true
                $0.secure { $0.readonlyRootfs = true }
            })
        #expect(spec.id == "c1")
        #expect(spec.layers == ["l1", "l2"])
        #expect(spec.stdin && spec.readOnlyRoot && !spec.privileged)
        #expect(spec.maskedPaths == ["/proc/kcore"])
        #expect(spec.readOnlyPaths == ["/proc/sys"])
        #expect(spec.oomScoreAdjustment == 990)
    }

    @Test func aRequestIsValidatedBeforeItIsTranslated() {
        let error = refusal { _ = try spec(sampleContainer { $0.mounts = [Mount()] }) }
        #expect(error?.field == "config.mounts[0].containerPath")
    }

    @Test func aPrivilegedContainerIsUnconfined() throws {
        let spec = try spec(
            sampleContainer {
                $0.secure {
                    $0.privileged = true
                    $0.seccomp = SecurityProfile()
                    $0.capabilities = Capability { $0.dropCapabilities = ["ALL"] }
                }
            }, pod: privilegedPod)
        #expect(spec.privileged)
        #expect(spec.maskedPaths.isEmpty && spec.readOnlyPaths.isEmpty)
        #expect(spec.process.capabilities == CapabilitySet.all.rawValue)
        #expect(spec.process.seccompProgram.isEmpty)
    }

    @Test(arguments: [
        (NamespaceMode.POD, "", ContainerSpec.Namespaces.Scope.pod), (.CONTAINER, "", .container),
        (.TARGET, "abc", .target(container: "abc")),
    ])
    func processesAreSharedAsCRISays(
        mode: NamespaceMode, target: String, scope: ContainerSpec.Namespaces.Scope
    ) throws {
        let container = sampleContainer {
            $0.secure {
                $0.namespaceOptions = NamespaceOption {
                    $0.pid = mode
                    $0.targetId = target
                }
            }
        }
        #expect(try spec(container).namespaces.pid == scope)
    }

    /// CRI: the default is POD, though a Kubernetes pod's is CONTAINER.
    @Test func withoutNamespaceOptionsEverythingIsThePods() throws {
        let namespaces = try spec(sampleContainer { $0.linux = nil }).namespaces
        #expect(namespaces.pid == .pod)
        #expect(namespaces.ipc == .pod)
    }

    @Test func aDeviceIsTheMachinesOwn() throws {
        let container = sampleContainer {
            $0.devices = [
                Device {
                    $0.hostPath = "/dev/zero"
                    $0.containerPath = "/dev/nothing"
                }
            ]
        }
        #expect(
            try spec(container).devices == [
                .init(path: "/dev/nothing", kind: .character, major: 1, minor: 5, access: "rwm")
            ])
    }
}

@Suite struct ProcessSpecTests {
    @Test(arguments: [
        (["/entry"], ["serve"], [String](), [String](), ["/entry", "serve"]),
        (["/entry"], ["serve"], [], ["other"], ["/entry", "other"]),
        (["/entry"], ["serve"], ["sh"], [], ["sh"]),
        (["/entry"], ["serve"], ["sh"], ["-c", "ls"], ["sh", "-c", "ls"]),
        ([], ["serve"], [], [], ["serve"]),
        ([], ["serve"], [], ["other"], ["other"]),
        ([""], ["serve"], [], [], ["serve"]),
    ])
    func commandAndArgumentsAreThoseOfCRIOverTheImages(
        entrypoint: [String], cmd: [String], command: [String], args: [String], expected: [String]
    ) throws {
        let config = sampleContainer {
            $0.command = command
            $0.args = args
        }
        let image = sampleImage {
            $0.entrypoint = entrypoint
            $0.cmd = cmd
        }
        #expect(try spec(config, image: image).process.arguments == expected)
    }

    @Test func nothingToRunIsRefused() {
        for empty in [[], [""]] {
            let image = sampleImage {
                $0.entrypoint = empty
                $0.cmd = []
            }
            let error = refusal { _ = try spec(sampleContainer(), image: image) }
            #expect(error?.code == .invalidArgument)
            #expect(error?.reason == "noCommand")
            #expect(error?.field == "config.command")
        }
    }

    @Test func theEnvironmentIsMergedByNameAndCRIsWins() throws {
        let config = sampleContainer {
            $0.envs = [("B", "cri"), ("C", "c=1"), ("C", "again"), ("EMPTY", "")].map { name, value in
                KeyValue {
                    $0.key = name
                    $0.value = Data(value.utf8)
                }
            }
        }
        let image = sampleImage { $0.env = ["A=1", "B=image", "PATH=/bin", "malformed", "=x"] }
        #expect(
            try spec(config, image: image).process.environment == [
                "PATH=/bin", "HOSTNAME=web", "A=1", "B=cri", "C=again", "EMPTY=",
            ])
    }

    @Test func pathAndTerminalHaveDefaults() throws {
        let process = try spec(sampleContainer { $0.tty = true }).process
        #expect(process.terminal)
        #expect(process.environment == [Environment.defaultPath, "TERM=xterm", "HOSTNAME=web"])
        let chosen = try spec(sampleContainer { $0.tty = true }, image: sampleImage { $0.env = ["TERM=vt100"] })
        #expect(chosen.process.environment.contains("TERM=vt100"))
        #expect(!chosen.process.environment.contains("TERM=xterm"))
    }

    @Test(arguments: [("", "", "/"), ("", "/srv", "/srv"), ("/work", "/srv", "/work")])
    func theWorkingDirectoryIsCRIsThenTheImages(cri: String, image: String, expected: String) throws {
        let spec = try spec(sampleContainer { $0.workingDir = cri }, image: sampleImage { $0.workingDir = image })
        #expect(spec.process.workingDirectory == expected)
    }

    @Test func aRelativeWorkingDirectoryOfTheImageIsRefused() {
        let error = refusal { _ = try spec(sampleContainer(), image: sampleImage { $0.workingDir = "srv" }) }
        #expect(error?.reason == "workingDirectoryInvalid")
    }

    private func user(
        image: String, id: Int64? = nil, name: String = "", group: Int64? = nil
    ) throws -> ProcessSpec.User {
        let config = sampleContainer {
            $0.secure {
                $0.runAsUser = id.map(int64)
                $0.runAsUsername = name
                $0.runAsGroup = group.map(int64)
            }
        }
        return try spec(config, image: sampleImage { $0.user = image }).process.user
    }

    @Test func theImagesUserIsHandedOnAsItIs() throws {
        let found = try user(image: "web:staff")
        #expect(found.name == "web:staff")
        #expect(found.group == nil)
        #expect(try user(image: "").name == "")
    }

    /// The image's group belongs to the image's user alone.
    @Test func crisUserReplacesTheImagesUserAndGroup() throws {
        #expect(try user(image: "web:staff", id: 0).name == "0")
        let found = try user(image: "web:staff", id: 1000, group: 2000)
        #expect(found.name == "1000")
        #expect(found.group == 2000)
        #expect(try user(image: "web:staff", name: "nobody").name == "nobody")
    }

    @Test func supplementalGroupsAreMergedWithTheImagesUnlessStrict() throws {
        let merged = try spec(sampleContainer { $0.secure { $0.supplementalGroups = [5, 6] } }).process.user
        #expect(merged.additionalGroups == [5, 6])
        #expect(merged.mergeImageGroups)
        let strict = try spec(sampleContainer { $0.secure { $0.supplementalGroupsPolicy = .Strict } }).process.user
        #expect(!strict.mergeImageGroups)
    }

    @Test func noNewPrivilegesIsHandedOn() throws {
        #expect(try spec(sampleContainer { $0.secure { $0.noNewPrivs = true } }).process.noNewPrivileges)
        #expect(try !spec(sampleContainer()).process.noNewPrivileges)
    }

    /// CRI calls the absence of a profile identical with Unconfined.
    @Test func onlyAProfileMakesAFilter() throws {
        #expect(try spec(sampleContainer()).process.seccompProgram.isEmpty)
        let unconfined = sampleContainer {
            $0.secure { $0.seccomp = SecurityProfile { $0.profileType = .Unconfined } }
        }
        #expect(try spec(unconfined).process.seccompProgram.isEmpty)
        let standard = try spec(sampleContainer { $0.secure { $0.seccomp = SecurityProfile() } })
        #expect(!standard.process.seccompProgram.isEmpty)
        #expect(standard.process.seccompProgram.count % 8 == 0)
    }

    @Test func anExecIsLikeTheFirstProcess() throws {
        let container = try spec(
            sampleContainer {
                $0.workingDir = "/srv"
                $0.secure { $0.runAsUser = int64(7) }
            })
        var expected = container.process
        expected.arguments = ["ls", "-l"]
        #expect(execProcess(command: ["ls", "-l"], container: container) == expected)
        let terminal = execProcess(command: ["sh"], container: container, terminal: true)
        #expect(terminal.terminal)
        #expect(terminal.environment.last == "TERM=xterm")
    }

    @Test func anExecWithoutTerminalInAContainerWithOneHasNone() throws {
        let container = try spec(sampleContainer { $0.tty = true })
        #expect(!execProcess(command: ["ls"], container: container).terminal)
    }
}

@Suite struct ResourceTests {
    /// The figures of opencontainers/cgroups, and of its formula.
    @Test(arguments: [
        (Int64(0), UInt64?.none), (1, 1), (2, 1), (3, 2), (102, 17), (1024, 100), (2048, 174), (262_143, 10_000),
        (262_144, 10_000), (300_000, 10_000),
    ])
    func sharesBecomeWeights(shares: Int64, weight: UInt64?) {
        #expect(cpuWeight(shares: shares) == weight)
    }

    @Test func nothingAskedForIsNothingSet() {
        #expect(containerResources(nil) == ContainerResources())
        #expect(containerResources(LinuxContainerResources()) == ContainerResources())
    }

    @Test func limitsBecomeCgroupValues() {
        var expected = ContainerResources()
        expected.cpuWeight = 100
        expected.cpuQuota = 50_000
        expected.cpuPeriod = 10_000
        expected.cpus = "0-1"
        expected.memoryNodes = "0"
        expected.memoryLimit = 64 << 20
        expected.swapLimit = 36 << 20
        expected.unified = ["memory.oom.group": "1"]
        let resources = LinuxContainerResources {
            $0.cpuShares = 1024
            $0.cpuQuota = 50_000
            $0.cpuPeriod = 10_000
            $0.cpusetCpus = "0-1"
            $0.cpusetMems = "0"
            $0.memoryLimitInBytes = 64 << 20
            $0.memorySwapLimitInBytes = 100 << 20
            $0.unified = ["memory.oom.group": "1"]
        }
        #expect(containerResources(resources) == expected)
    }

    @Test(arguments: [(Int64(0), Int64?(0)), (-1, nil), (64 << 20, 0), (65 << 20, 1 << 20)])
    func swapIsCountedBesideMemory(both: Int64, swap: Int64?) {
        let resources = LinuxContainerResources {
            $0.memoryLimitInBytes = 64 << 20
            $0.memorySwapLimitInBytes = both
        }
        #expect(containerResources(resources).swapLimit == swap)
    }

    @Test func aQuotaWithoutPeriodIsOfTheKernelsPeriod() {
        let result = containerResources(LinuxContainerResources { $0.cpuQuota = 20_000 })
        #expect(result.cpuPeriod == 100_000)
    }

    /// The kubelet sends the period always.
    @Test func noQuotaIsNoLimit() {
        for quota: Int64 in [0, -1] {
            let result = containerResources(
                LinuxContainerResources {
                    $0.cpuQuota = quota
                    $0.cpuPeriod = 100_000
                })
            #expect(result.cpuQuota == nil)
            #expect(result.cpuPeriod == nil)
        }
    }
}
