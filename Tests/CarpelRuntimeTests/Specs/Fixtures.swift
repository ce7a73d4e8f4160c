import CarpelAPI
import CarpelCore
import CarpelImages
import Foundation
import Testing

@testable import CarpelRuntime

/// A change of a good request, and the answer that it must get.
struct Refusal<Config: Sendable>: Sendable, CustomTestStringConvertible {
    let field: String
    let code: CarpelError.Code
    let reason: String
    let change: @Sendable (inout Config) -> Void
    var testDescription: String { "\(field): \(reason)" }

    static func invalid(
        _ field: String, _ reason: String = "fieldInvalid", _ change: @escaping @Sendable (inout Config) -> Void
    ) -> Self {
        Self(field: field, code: .invalidArgument, reason: reason, change: change)
    }

    static func missing(_ field: String, _ change: @escaping @Sendable (inout Config) -> Void) -> Self {
        Self(field: field, code: .invalidArgument, reason: "fieldMissing", change: change)
    }

    static func unsupported(
        _ field: String, _ reason: String, _ change: @escaping @Sendable (inout Config) -> Void
    ) -> Self {
        Self(field: field, code: .unimplemented, reason: reason, change: change)
    }

    func check(_ error: CarpelError?) {
        #expect(error?.field == field)
        #expect(error?.code == code)
        #expect(error?.reason == reason)
    }
}

/// What `operation` throws.
func refusal(_ operation: () throws -> Void) -> CarpelError? {
    #expect(throws: CarpelError.self) { try operation() }
}

/// A pod as a kubelet asks for it, with the messages in place that tests change.
func samplePod(_ change: (inout PodSandboxConfig) -> Void = { _ in }) -> PodSandboxConfig {
    var config = PodSandboxConfig {
        $0.metadata = PodSandboxMetadata {
            $0.name = "web"
            $0.namespace = "default"
            $0.uid = "6f1c"
        }
        $0.hostname = "web"
        $0.logDirectory = "/var/log/pods/default_web_6f1c"
        $0.dnsConfig = DNSConfig {
            $0.servers = ["10.96.0.10"]
            $0.searches = ["default.svc.cluster.local", "cluster.local"]
            $0.options = ["ndots:5"]
        }
        $0.portMappings = [PortMapping { $0.containerPort = 80 }]
        $0.linux = LinuxPodSandboxConfig {
            $0.cgroupParent = "/kubepods/burstable/pod6f1c"
            $0.resources = LinuxContainerResources()
            $0.overhead = LinuxContainerResources()
            $0.securityContext = LinuxSandboxSecurityContext {
                $0.namespaceOptions = NamespaceOption {
                    $0.pid = .CONTAINER
                    $0.usernsOptions = UserNamespace { $0.mode = .NODE }
                }
                $0.seccomp = SecurityProfile()
            }
        }
    }
    change(&config)
    return config
}

func sampleContainer(_ change: (inout ContainerConfig) -> Void = { _ in }) -> ContainerConfig {
    var config = ContainerConfig {
        $0.metadata = ContainerMetadata { $0.name = "server" }
        $0.image = ImageSpec { $0.image = "sha256:1234" }
        $0.logPath = "server/0.log"
        $0.linux = LinuxContainerConfig {
            $0.resources = LinuxContainerResources {
                $0.cpuShares = 102
                $0.cpuPeriod = 100_000
                $0.oomScoreAdj = 990
                $0.hugepageLimits = [HugepageLimit { $0.pageSize = "2MB" }]
                $0.unified = ["memory.oom.group": "1"]
            }
            $0.securityContext = LinuxContainerSecurityContext {
                $0.namespaceOptions = NamespaceOption { $0.pid = .CONTAINER }
                $0.maskedPaths = ["/proc/kcore"]
                $0.readonlyPaths = ["/proc/sys"]
            }
        }
    }
    change(&config)
    return config
}

func sampleImage(_ change: (inout ImageConfig) -> Void = { _ in }) -> ImageConfig {
    var image = ImageConfig()
    image.entrypoint = ["/entry"]
    image.cmd = ["serve"]
    change(&image)
    return image
}

extension ContainerConfig {
    /// Changes the security context, which must be there.
    mutating func secure(_ change: (inout LinuxContainerSecurityContext) -> Void) {
        var context = linux?.securityContext ?? LinuxContainerSecurityContext()
        change(&context)
        linux?.securityContext = context
    }

    mutating func limit(_ change: (inout LinuxContainerResources) -> Void) {
        var resources = linux?.resources ?? LinuxContainerResources()
        change(&resources)
        linux?.resources = resources
    }
}

/// An empty volume on disk.
func emptyVolume(_ name: String, size: Int64 = 0) -> PodVolume {
    PodVolume {
        $0.name = name
        $0.emptyDir = EmptyDirVolume { $0.sizeLimitBytes = size }
    }
}

extension PodSandboxConfig {
    mutating func join(_ networks: [PodNetwork]) { carpel = PodSandboxExtension { $0.networks = networks } }
    mutating func give(_ volumes: [PodVolume]) { carpel = PodSandboxExtension { $0.volumes = volumes } }

    mutating func secure(_ change: (inout LinuxSandboxSecurityContext) -> Void) {
        var context = linux?.securityContext ?? LinuxSandboxSecurityContext()
        change(&context)
        linux?.securityContext = context
    }
}

func int64(_ value: Int64) -> Int64Value { Int64Value { $0.value = value } }
