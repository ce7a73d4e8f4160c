/// What the examples call things. Who tries them puts their own names in the place of these.
public enum ExampleValues {
    public static let image = "docker.io/library/busybox:1.37"
    public static let archive = "/var/tmp/busybox.tar"
    public static let exported = "/var/tmp/exported.tar"
    public static let checkpoint = "/var/tmp/web-checkpoint"

    static let imageID = "sha256:cb5ad3b4c1a8b4a2ad3d4cbd4d4a5b4e0a1b1fd3a9c5c3c7a9d0a7f6f1e2d3c4"
    static let pod = "4f1c7f9a1d3e5b7092a4c6e8f0b2d4f6081a3c5e7092b4d6f8a0c2e4f6081a3c"
    static let container = "b2d4f6081a3c5e7092b4d6f8a0c2e4f6081a3c4f1c7f9a1d3e5b7092a4c6e8f0"
    static let restoredPod = "7092a4c6e8f0b2d4f6081a3c5e7092b4d6f8a0c2e4f6081a3c4f1c7f9a1d3e5b"
    static let restoredContainer = "e4f6081a3c4f1c7f9a1d3e5b7092a4c6e8f0b2d4f6081a3c5e7092b4d6f8a0c2"
    static let oncePod = "1a3c5e7092b4d6f8a0c2e4f6081a3c4f1c7f9a1d3e5b7092a4c6e8f0b2d4f608"
    static let onceContainer = "f8a0c2e4f6081a3c4f1c7f9a1d3e5b7092a4c6e8f0b2d4f6081a3c5e7092b4d6"
    static let events = "example-events"
    static let execURL = "carpel:example-exec"
    static let attachURL = "carpel:example-attach"
    static let forwardURL = "carpel:example-forward"

    static func sandbox(_ name: String) -> PodSandboxConfig {
        PodSandboxConfig {
            $0.metadata = PodSandboxMetadata {
                $0.name = name
                $0.namespace = "default"
                $0.uid = "\(name)-1"
            }
            $0.labels = ["app": name]
        }
    }

    static let config = containerConfig("main")

    static func containerConfig(_ name: String) -> ContainerConfig {
        ContainerConfig {
            $0.metadata = ContainerMetadata { $0.name = name }
            $0.image = ImageSpec { $0.image = image }
            $0.command = ["sleep", "100000"]
        }
    }

    static let mebibyte: Int64 = 1 << 20
}
