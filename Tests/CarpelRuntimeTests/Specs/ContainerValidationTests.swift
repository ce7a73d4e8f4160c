import CarpelAPI
import CarpelCore
import Foundation
import Testing

@testable import CarpelRuntime

@Suite struct ContainerValidationTests {
    @Test func aContainerAsTheKubeletSendsItIsAccepted() throws {
        try validate(container: sampleContainer(), in: samplePod())
    }

    @Test(arguments: ContainerRefusals.all)
    func whatCannotBeHonouredIsRefusedByItsField(_ sample: Refusal<ContainerConfig>) {
        sample.check(refusal { try validate(container: sampleContainer(sample.change), in: samplePod()) })
    }

    @Test func thePrivilegedContainerNeedsAPrivilegedPod() throws {
        let container = sampleContainer { $0.secure { $0.privileged = true } }
        try validate(container: container, in: samplePod { $0.secure { $0.privileged = true } })
        let error = refusal { try validate(container: container, in: samplePod()) }
        #expect(error?.reason == "privilegedNotAllowed")
    }

    /// The kubelet writes `apparmorProfile` beside `apparmor` still.
    @Test func theDeprecatedStringIsAcceptedWhereItRepeatsTheMessage() throws {
        try validate(
            container: sampleContainer {
                $0.secure {
                    $0.apparmor = SecurityProfile { $0.profileType = .Unconfined }
                    $0.apparmorProfile = "unconfined"
                    $0.seccomp = SecurityProfile {
                        $0.profileType = .Localhost
                        $0.localhostRef = "/profiles/a.json"
                    }
                    $0.seccompProfilePath = "localhost//profiles/a.json"
                }
            }, in: samplePod())
    }

    @Test func theDevicesOfEveryKernelAreAccepted() throws {
        for path in ["/dev/null", "/dev/urandom", "/dev/tty"] {
            try validate(
                container: sampleContainer {
                    $0.devices = [
                        Device {
                            $0.hostPath = path
                            $0.containerPath = path
                            $0.permissions = "rw"
                        }
                    ]
                }, in: samplePod())
        }
    }

    @Test func limitsThatCgroupsTakeAreAccepted() throws {
        try validate(
            container: sampleContainer {
                $0.limit {
                    $0.cpuQuota = -1
                    $0.memoryLimitInBytes = 64 << 20
                    $0.memorySwapLimitInBytes = 128 << 20
                    $0.cpusetCpus = "0-1,3"
                    $0.cpusetMems = "0"
                    $0.unified = ["memory.high": "1", "io.weight": "default 100", "pids.max": "9"]
                }
            }, in: samplePod())
    }

    @Test func aCommandOfAnExecMustNameAProgram() throws {
        try validate(command: ["ls", ""], at: "cmd")
        #expect(refusal { try validate(command: [], at: "cmd") }?.reason == "noCommand")
        #expect(refusal { try validate(command: ["", "x"], at: "cmd") }?.reason == "noCommand")
        #expect(refusal { try validate(command: ["ls", "a\0"], at: "cmd") }?.field == "cmd[1]")
    }

    @Test func whatAPrivilegedContainerCannotHaveIsTold() {
        let told = fieldsWithoutEffect(
            of: sampleContainer {
                $0.secure {
                    $0.privileged = true
                    $0.seccomp = SecurityProfile()
                    $0.apparmor = SecurityProfile()
                }
            })
        #expect(
            told.map { $0.field.split(separator: ".").last } == ["seccomp", "maskedPaths", "readonlyPaths", "apparmor"])
    }
}

private typealias Sample = Refusal<ContainerConfig>

private enum ContainerRefusals {
    static let all = process + mounts + host + namespaces + security + resources

    static let process: [Sample] = [
        .missing("config.metadata") { $0.metadata = nil },
        .missing("config.metadata.name") { $0.metadata?.name = "" },
        .missing("config.image.image") { $0.image = nil },
        .missing("config.image.image") { $0.image?.image = "" },
        .invalid("config.command[0]") { $0.command = [""] },
        .invalid("config.command[1]") { $0.command = ["a", "b\0"] },
        .invalid("config.args[0]") { $0.args = ["\0"] },
        .invalid("config.workingDir", "workingDirectoryInvalid") { $0.workingDir = "srv" },
        .invalid("config.envs[0].key") { $0.envs = [KeyValue { $0.key = "A=B" }] },
        .invalid("config.envs[0].key") { $0.envs = [KeyValue()] },
        .invalid("config.envs[0].value") { $0.envs = [variable("A", [0x61, 0])] },
        .invalid("config.envs[1].value") { $0.envs = [variable("A", []), variable("B", [0xFF])] },
        .invalid("config.logPath", "logPathInvalid") { $0.logPath = "/var/log/x" },
        .invalid("config.logPath", "logPathInvalid") { $0.logPath = "a/../../x" },
        .invalid("config.labels") { $0.labels = ["": ""] },
        .invalid("config.annotations") { $0.annotations = ["": ""] },
    ]

    /// A mount of a folder of the node.
    static func mount(_ change: (inout Mount) -> Void) -> Mount {
        var mount = Mount {
            $0.hostPath = "/srv"
            $0.containerPath = "/data"
        }
        change(&mount)
        return mount
    }

    static let mounts: [Sample] = [
        .invalid("config.mounts[0].containerPath") { $0.mounts = [mount { $0.containerPath = "data" }] },
        .invalid("config.mounts[0].containerPath") { $0.mounts = [mount { $0.containerPath = "//" }] },
        .invalid("config.mounts[1]", "mountSourceInvalid") {
            $0.mounts = [mount { _ in }, mount { $0.hostPath = "" }]
        },
        .invalid("config.mounts[0]", "mountSourceInvalid") {
            $0.mounts = [mount { $0.carpel = MountExtension { $0.volume = "cache" } }]
        },
        .invalid("config.mounts[0].hostPath") { $0.mounts = [mount { $0.hostPath = "/srv/../etc" }] },
        .invalid("config.mounts[0].imageSubPath") { $0.mounts = [mount { $0.imageSubPath = "bin" }] },
        .invalid("config.mounts[0].carpel.volume", "volumeUnknown") {
            $0.mounts = [
                mount {
                    $0.hostPath = ""
                    $0.carpel = MountExtension { $0.volume = "missing" }
                }
            ]
        },
        .invalid("config.mounts[0].recursiveReadOnly") {
            $0.mounts = [
                mount {
                    $0.readonly = true
                    $0.recursiveReadOnly = true
                    $0.propagation = .PROPAGATION_HOST_TO_CONTAINER
                }
            ]
        },
        .unsupported("config.mounts[0].propagation", "mountPropagationUnsupported") {
            $0.mounts = [mount { $0.propagation = .PROPAGATION_BIDIRECTIONAL }]
        },
        .unsupported("config.mounts[0].uidMappings", "idMappedMountsUnsupported") {
            $0.mounts = [mount { $0.uidMappings = [IDMapping()] }]
        },
        .unsupported("config.mounts[0].gidMappings", "idMappedMountsUnsupported") {
            $0.mounts = [mount { $0.gidMappings = [IDMapping()] }]
        },
        .unsupported("config.mounts[0].mountOptions", "mountOptionsUnsupported") {
            $0.mounts = [mount { $0.mountOptions = ["noexec"] }]
        },
        .invalid("config.mounts[0].recursiveReadOnly") { $0.mounts = [mount { $0.recursiveReadOnly = true }] },
        .invalid("config.devices[0].carpel.volume", "volumeUnknown") {
            $0.devices = [Device { $0.carpel = DeviceExtension { $0.volume = "missing" } }]
        },
    ]

    static let host: [Sample] = [
        .unsupported("config.devices[0].hostPath", "hostDevicesUnsupported") {
            $0.devices = [
                Device {
                    $0.hostPath = "/dev/fuse"
                    $0.containerPath = "/dev/fuse"
                }
            ]
        },
        .invalid("config.devices[0].containerPath") { $0.devices = [Device { $0.hostPath = "/dev/zero" }] },
        .invalid("config.devices[0].permissions") {
            $0.devices = [
                Device {
                    $0.hostPath = "/dev/zero"
                    $0.containerPath = "/dev/zero"
                    $0.permissions = "rx"
                }
            ]
        },
        .unsupported("config.CDIDevices[0]", "cdiUnsupported") { $0.CDIDevices = [CDIDevice()] },
        .unsupported("config.windows", "windowsUnsupported") { $0.windows = UnsupportedMessage() },
    ]

    static let context = "config.linux.securityContext"

    static let namespaces: [Sample] = [
        .unsupported("\(context).namespaceOptions.network", "hostNetworkUnsupported") {
            $0.secure { $0.namespaceOptions?.network = .NODE }
        },
        .unsupported("\(context).namespaceOptions.pid", "hostPIDUnsupported") {
            $0.secure { $0.namespaceOptions?.pid = .NODE }
        },
        .missing("\(context).namespaceOptions.targetId") { $0.secure { $0.namespaceOptions?.pid = .TARGET } },
        .invalid("\(context).namespaceOptions.targetId") { $0.secure { $0.namespaceOptions?.targetId = "abc" } },
        .unsupported("\(context).namespaceOptions.usernsOptions.mode", "userNamespacesUnsupported") {
            $0.secure { $0.namespaceOptions?.usernsOptions = UserNamespace() }
        },
    ]

    static let security: [Sample] = [
        .invalid("\(context).privileged", "privilegedNotAllowed") { $0.secure { $0.privileged = true } },
        .invalid("\(context).capabilities.addCapabilities[1]", "unknownCapability") {
            $0.secure { $0.capabilities = Capability { $0.addCapabilities = ["NET_ADMIN", "FLY"] } }
        },
        .invalid("\(context).capabilities.dropCapabilities[0]", "unknownCapability") {
            $0.secure { $0.capabilities = Capability { $0.dropCapabilities = [""] } }
        },
        .unsupported("\(context).capabilities.addAmbientCapabilities", "ambientCapabilitiesUnsupported") {
            $0.secure { $0.capabilities = Capability { $0.addAmbientCapabilities = ["NET_RAW"] } }
        },
        .unsupported("\(context).selinuxOptions", "selinuxUnsupported") {
            $0.secure { $0.selinuxOptions = SELinuxOption { $0.level = "s0" } }
        },
        .invalid("\(context).runAsUsername") {
            $0.secure {
                $0.runAsUser = int64(1)
                $0.runAsUsername = "nobody"
            }
        },
        .invalid("\(context).runAsUsername") { $0.secure { $0.runAsUsername = "nobody:nogroup" } },
        .invalid("\(context).runAsGroup", "groupWithoutUser") { $0.secure { $0.runAsGroup = int64(1) } },
        .invalid("\(context).runAsUser") { $0.secure { $0.runAsUser = int64(1 << 32) } },
        .invalid("\(context).supplementalGroups[0]") { $0.secure { $0.supplementalGroups = [-1] } },
        .invalid("\(context).maskedPaths[0]") { $0.secure { $0.maskedPaths = ["proc"] } },
        .invalid("\(context).readonlyPaths[0]") { $0.secure { $0.readonlyPaths = ["/proc/../etc"] } },
        .missing("\(context).seccomp.localhostRef") {
            $0.secure { $0.seccomp = SecurityProfile { $0.profileType = .Localhost } }
        },
        .invalid("\(context).seccomp.localhostRef") {
            $0.secure {
                $0.seccomp = SecurityProfile {
                    $0.profileType = .Localhost
                    $0.localhostRef = "a.json"
                }
            }
        },
        .invalid("\(context).seccomp.localhostRef") {
            $0.secure { $0.seccomp = SecurityProfile { $0.localhostRef = "/a.json" } }
        },
        .unsupported("\(context).seccompProfilePath", "deprecatedField") {
            $0.secure { $0.seccompProfilePath = "unconfined" }
        },
        .unsupported("\(context).apparmorProfile", "deprecatedField") {
            $0.secure { $0.apparmorProfile = "localhost/x" }
        },
        .invalid("\(context).apparmorProfile") {
            $0.secure {
                $0.apparmor = SecurityProfile { $0.profileType = .Unconfined }
                $0.apparmorProfile = "localhost/x"
            }
        },
        .unsupported("\(context).apparmor", "apparmorUnsupported") {
            $0.secure {
                $0.apparmor = SecurityProfile {
                    $0.profileType = .Localhost
                    $0.localhostRef = "x"
                }
            }
        },
    ]

    static let limits = "config.linux.resources"

    static let resources: [Sample] = [
        .invalid("\(limits).cpuPeriod") { $0.limit { $0.cpuPeriod = 999 } },
        .invalid("\(limits).cpuPeriod") { $0.limit { $0.cpuPeriod = 1_000_001 } },
        .invalid("\(limits).cpuQuota") { $0.limit { $0.cpuQuota = -2 } },
        .invalid("\(limits).cpuQuota") { $0.limit { $0.cpuQuota = 999 } },
        .invalid("\(limits).cpuShares") { $0.limit { $0.cpuShares = -1 } },
        .invalid("\(limits).memoryLimitInBytes", "memoryLimitTooSmall") { $0.limit { $0.memoryLimitInBytes = 4096 } },
        .invalid("\(limits).memoryLimitInBytes", "memoryLimitTooSmall") { $0.limit { $0.memoryLimitInBytes = -1 } },
        .invalid("\(limits).memorySwapLimitInBytes") { $0.limit { $0.memorySwapLimitInBytes = 1 << 30 } },
        .invalid("\(limits).memorySwapLimitInBytes") { $0.limit { $0.memorySwapLimitInBytes = -2 } },
        .invalid("\(limits).memorySwapLimitInBytes") {
            $0.limit {
                $0.memoryLimitInBytes = 64 << 20
                $0.memorySwapLimitInBytes = 32 << 20
            }
        },
        .invalid("\(limits).oomScoreAdj") { $0.limit { $0.oomScoreAdj = 1001 } },
        .invalid("\(limits).cpusetCpus") { $0.limit { $0.cpusetCpus = "1-0" } },
        .invalid("\(limits).cpusetCpus") { $0.limit { $0.cpusetCpus = "0,,1" } },
        .invalid("\(limits).cpusetMems") { $0.limit { $0.cpusetMems = "all" } },
        .unsupported("\(limits).hugepageLimits[0]", "hugepagesUnsupported") {
            $0.limit { $0.hugepageLimits[0].limit = 2 << 20 }
        },
        .invalid("\(limits).unified[cgroup.kill]") { $0.limit { $0.unified = ["cgroup.kill": "1"] } },
        .invalid("\(limits).unified[../cpu.max]") { $0.limit { $0.unified = ["../cpu.max": "1"] } },
        .invalid("\(limits).unified[hugetlb.2MB.max]") { $0.limit { $0.unified = ["hugetlb.2MB.max": "0"] } },
        .invalid("\(limits).unified[memory.high]") { $0.limit { $0.unified = ["memory.high": ""] } },
    ]
}

private func variable(_ key: String, _ value: [UInt8]) -> KeyValue {
    KeyValue {
        $0.key = key
        $0.value = Data(value)
    }
}
