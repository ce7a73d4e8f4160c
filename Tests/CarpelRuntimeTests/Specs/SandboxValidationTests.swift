import CarpelAPI
import CarpelCore
import Testing

@testable import CarpelRuntime

@Suite struct SandboxValidationTests {
    @Test func aPodAsTheKubeletSendsItIsAccepted() throws {
        try validate(sandbox: samplePod())
    }

    @Test func aNameAloneIsEnough() throws {
        try validate(sandbox: PodSandboxConfig { $0.metadata = PodSandboxMetadata { $0.name = "web" } })
    }

    @Test(arguments: SandboxRefusals.all)
    func whatCannotBeHonouredIsRefusedByItsField(_ sample: Refusal<PodSandboxConfig>) {
        sample.check(refusal { try validate(sandbox: samplePod(sample.change)) })
    }

    @Test(arguments: [
        "net.ipv4.ip_forward", "net/ipv4/ip_forward", "net.ipv4.conf.eth0/1.rp_filter", "kernel.shm_rmid_forced",
        "fs.mqueue.msg_max", "vm.max_map_count", "kernel.msgmax", "user.max_user_namespaces",
    ])
    func everySysctlOfThePodsOwnKernelIsAccepted(_ name: String) throws {
        try validate(sandbox: samplePod { $0.linux?.sysctls = [name: "1"] })
    }

    @Test(arguments: [
        "", "net", "net..ipv4", ".net.ipv4", "net.ipv4.", "../../etc/passwd", "net/../../etc/passwd", "net.ipv4/",
        "/net/ipv4", "proc.sys", "net.ipv4.a b", "net.ipv4.conf.//.x",
    ])
    func aNameThatIsNoneBelowProcSysIsRefused(_ name: String) {
        let error = refusal { try validate(sandbox: samplePod { $0.linux?.sysctls = [name: "1"] }) }
        #expect(error?.reason == "sysctlInvalid")
        #expect(error?.field == "config.linux.sysctls[\(name)]")
    }

    @Test(arguments: [
        ("kernel.hostname", "x"), ("kernel/hostname", "x"), ("kernel.modprobe", "/bin/x"),
        ("kernel.core_pattern", "|/x"),
        ("kernel.panic", "0"),
    ])
    func aSysctlThatWouldBreakOutOfTheContainersIsRefused(_ name: String, _ value: String) {
        let error = refusal { try validate(sandbox: samplePod { $0.linux?.sysctls = [name: value] }) }
        #expect(error?.reason == "sysctlRefused")
    }

    @Test(arguments: ["a", "web-0", "WEB", "web.example.org", "0", String(repeating: "a", count: 63)])
    func aHostNameIsAccepted(_ name: String) throws {
        try validate(sandbox: samplePod { $0.hostname = name })
    }

    @Test(arguments: ["-web", "web-", "we_b", "a..b", ".", "wéb", String(repeating: "a", count: 64), "a b"])
    func whatIsNoHostNameIsRefused(_ name: String) {
        let error = refusal { try validate(sandbox: samplePod { $0.hostname = name }) }
        #expect(error?.reason == "hostnameInvalid")
    }

    @Test(arguments: ["10.0.0.1", "fd00::1", "fe80::1%eth0", "::ffff:1.2.3.4"])
    func anAddressIsAcceptedAsServer(_ server: String) throws {
        try validate(sandbox: samplePod { $0.dnsConfig?.servers = [server] })
    }

    @Test(arguments: [
        "", "dns.example.org", "10.0.0.1\nsearch evil", "10.0.0", "fd00::1%", "10.0.0.1\0x", "fe80::1%a b",
    ])
    func whatIsNoAddressIsRefusedAsServer(_ server: String) {
        let error = refusal { try validate(sandbox: samplePod { $0.dnsConfig?.servers = ["10.0.0.1", server] }) }
        #expect(error?.field == "config.dnsConfig.servers[1]")
    }

    @Test func whatHasNoEffectIsTold() {
        let told = fieldsWithoutEffect(of: samplePod { $0.secure { $0.runAsUser = int64(1) } }).map(\.field)
        #expect(
            told == [
                "config.linux.cgroupParent", "config.linux.securityContext.runAsUser",
                "config.linux.securityContext.seccomp",
            ])
    }
}

private typealias Sample = Refusal<PodSandboxConfig>

private enum SandboxRefusals {
    static let all = general + network + volumes + security + resources

    static let general: [Sample] = [
        .missing("config.metadata") { $0.metadata = nil },
        .missing("config.metadata.name") { $0.metadata?.name = "" },
        .invalid("config.metadata.name") { $0.metadata?.name = String(repeating: "a", count: 254) },
        .invalid("config.metadata.name") { $0.metadata?.name = "a/b" },
        .invalid("config.metadata.namespace") { $0.metadata?.namespace = "a\nb" },
        .invalid("config.metadata.uid") { $0.metadata?.uid = "../x" },
        .invalid("config.logDirectory") { $0.logDirectory = "logs" },
        .invalid("config.logDirectory") { $0.logDirectory = "/var/log/../../etc" },
        .invalid("config.labels") { $0.labels = ["": "x"] },
        .invalid("config.labels[big]") { $0.labels = ["big": String(repeating: "x", count: 4096)] },
        .invalid("config.annotations") { $0.annotations = ["big": String(repeating: "x", count: 1 << 20)] },
        .unsupported("config.windows", "windowsUnsupported") { $0.windows = UnsupportedMessage() },
    ]

    static let network: [Sample] = [
        .invalid("config.dnsConfig.servers") { $0.dnsConfig?.servers = Array(repeating: "10.0.0.1", count: 4) },
        .invalid("config.dnsConfig.searches[0]") { $0.dnsConfig?.searches = ["a b"] },
        .invalid("config.dnsConfig.searches") { $0.dnsConfig?.searches = Array(repeating: "a", count: 33) },
        .invalid("config.dnsConfig.options[0]") { $0.dnsConfig?.options = ["ndots:5\nnameserver 1.1.1.1"] },
        .invalid("config.portMappings[0].hostPort") { $0.portMappings[0].hostPort = 65536 },
        .invalid("config.portMappings[0].containerPort") { $0.portMappings[0].containerPort = -1 },
        .invalid("config.portMappings[0].containerPort") {
            $0.portMappings[0].hostPort = 8080
            $0.portMappings[0].containerPort = 0
        },
        .invalid("config.portMappings[0].hostIp", "addressInvalid") { $0.portMappings[0].hostIp = "localhost" },
        .invalid("config.annotations[kubernetes.io/ingress-bandwidth]") {
            $0.annotations["kubernetes.io/ingress-bandwidth"] = "fast"
        },
        .invalid("config.annotations[kubernetes.io/egress-bandwidth]") {
            $0.annotations["kubernetes.io/egress-bandwidth"] = "10"
        },
        .invalid("config.carpel.networks") { $0.join(Array(repeating: PodNetwork(), count: 5)) },
        .invalid("config.carpel.networks[1].interfaceName") {
            $0.join([PodNetwork(), PodNetwork { $0.interfaceName = "eth0" }])
        },
        .invalid("config.carpel.networks[0].interfaceName") { $0.join([PodNetwork { $0.interfaceName = "lo" }]) },
        .invalid("config.carpel.networks[0].interfaceName") {
            $0.join([PodNetwork { $0.interfaceName = "an-interface-too-long" }])
        },
        .invalid("config.carpel.networks[0].addresses[0]", "addressInvalid") {
            $0.join([PodNetwork { $0.addresses = ["10.0.0.1/8"] }])
        },
        .invalid("config.carpel.networks[0].macAddress") {
            $0.join([PodNetwork { $0.macAddress = "01:00:5e:00:00:01" }])
        },
        .invalid("config.carpel.networks[0].macAddress") { $0.join([PodNetwork { $0.macAddress = "02:00:00:00:1" }]) },
    ]

    static let volumes: [Sample] = [
        .missing("config.carpel.volumes[0].name") { $0.give([PodVolume { $0.emptyDir = EmptyDirVolume() }]) },
        .invalid("config.carpel.volumes[0].name", "nameInvalid") { $0.give([PodVolume { $0.name = "a/b" }]) },
        .invalid("config.carpel.volumes[0].name", "nameInvalid") { $0.give([PodVolume { $0.name = ".." }]) },
        .invalid("config.carpel.volumes[1].name") { $0.give([emptyVolume("a"), emptyVolume("a")]) },
        .invalid("config.carpel.volumes[0]", "volumeSourceInvalid") { $0.give([PodVolume { $0.name = "a" }]) },
        .invalid("config.carpel.volumes[0]", "volumeSourceInvalid") {
            var volume = emptyVolume("a")
            volume.persistent = PersistentVolume { $0.volume = "b" }
            $0.give([volume])
        },
        .missing("config.carpel.volumes[0].persistent.volume") {
            $0.give([
                PodVolume {
                    $0.name = "a"
                    $0.persistent = PersistentVolume()
                }
            ])
        },
        .invalid("config.carpel.volumes[0].emptyDir.sizeLimitBytes") { $0.give([emptyVolume("a", size: -1)]) },
        .invalid("config.carpel.volumes[0].emptyDir.sizeLimitBytes") { $0.give([emptyVolume("a", size: 4096)]) },
    ]

    static let context = "config.linux.securityContext"

    static let security: [Sample] = [
        .unsupported("\(context).namespaceOptions.network", "hostNetworkUnsupported") {
            $0.secure { $0.namespaceOptions?.network = .NODE }
        },
        .unsupported("\(context).namespaceOptions.network", "networkNamespaceUnsupported") {
            $0.secure { $0.namespaceOptions?.network = .CONTAINER }
        },
        .unsupported("\(context).namespaceOptions.pid", "hostPIDUnsupported") {
            $0.secure { $0.namespaceOptions?.pid = .NODE }
        },
        .invalid("\(context).namespaceOptions.pid") { $0.secure { $0.namespaceOptions?.pid = .TARGET } },
        .unsupported("\(context).namespaceOptions.ipc", "hostIPCUnsupported") {
            $0.secure { $0.namespaceOptions?.ipc = .NODE }
        },
        .unsupported("\(context).namespaceOptions.ipc", "ipcNamespaceUnsupported") {
            $0.secure { $0.namespaceOptions?.ipc = .TARGET }
        },
        .unsupported("\(context).namespaceOptions.usernsOptions.mode", "userNamespacesUnsupported") {
            $0.secure { $0.namespaceOptions?.usernsOptions?.mode = .POD }
        },
        .invalid("\(context).namespaceOptions.usernsOptions.mode") {
            $0.secure { $0.namespaceOptions?.usernsOptions?.mode = .TARGET }
        },
        .invalid("\(context).namespaceOptions.usernsOptions") {
            $0.secure { $0.namespaceOptions?.usernsOptions?.uids = [IDMapping { $0.length = 1 }] }
        },
        .unsupported("\(context).selinuxOptions", "selinuxUnsupported") {
            $0.secure { $0.selinuxOptions = SELinuxOption { $0.type = "spc_t" } }
        },
        .invalid("\(context).runAsGroup", "groupWithoutUser") { $0.secure { $0.runAsGroup = int64(1) } },
        .invalid("\(context).runAsUser") { $0.secure { $0.runAsUser = int64(-1) } },
        .invalid("\(context).supplementalGroups[1]") { $0.secure { $0.supplementalGroups = [0, 4_294_967_295] } },
        .unsupported("\(context).seccompProfilePath", "deprecatedField") {
            $0.secure {
                $0.seccomp = nil
                $0.seccompProfilePath = "runtime/default"
            }
        },
        .unsupported("\(context).apparmor", "apparmorUnsupported") {
            $0.secure {
                $0.apparmor = SecurityProfile {
                    $0.profileType = .Localhost
                    $0.localhostRef = "mine"
                }
            }
        },
    ]

    static let resources: [Sample] = [
        .invalid("config.linux.resources.cpuQuota") { $0.linux?.resources?.cpuQuota = 10 },
        .invalid("config.linux.overhead.cpuShares") { $0.linux?.overhead?.cpuShares = -1 },
        .invalid("config.linux.sysctls[vm.x]", "sysctlInvalid") { $0.linux?.sysctls = ["vm.x": "1\n2"] },
        .invalid("config.linux.cgroupParent") { $0.linux?.cgroupParent = "/a\0" },
    ]
}
