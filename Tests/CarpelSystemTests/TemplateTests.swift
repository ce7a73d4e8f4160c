import CarpelAPI
import CarpelClient
import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// What a stranger gets from `carpel plugin new`, built outside of the repository.
    @Suite(.serialized) struct TemplateTests {
        @Test(arguments: ["c", "swift"])
        func aPodRunsWithPluginsMadeFromTheTemplates(language: String) async throws {
            let folder = try TemporaryFolder()
            let plugins = "\(folder.path)/plugins"
            var names: [String: String] = [:]
            for kind in ["network", "storage"] {
                let built = try await TemplatePlugin.folder(kind: kind, language: language)
                let name = (built as NSString).lastPathComponent
                try await shell("mkdir -p -m 755 \"$1\" && cp -r \"$2\" \"$1/\"", plugins, built)
                names[kind] = name
            }
            let settings = """
                networks: { default: \(names["network"] ?? "") }
                storage: \(names["storage"] ?? "")
                plugins: { folders: [\(plugins)] }

                """
            let network = try await TestNetwork()
            try await Node.with(settings: settings, folder: folder, network: network) { node, client in
                let image = "localhost/busybox:1"
                try await client.importImage(try await Fixtures.shared.layout(), as: image)
                let create = CreateVolumeRequest {
                    $0.name = "data"
                    $0.capacityBytes = 16 << 20
                    $0.mode = .BLOCK
                }
                _ = try await client.call(Methods.createVolume, create)
                let pod = try await client.runPod(
                    podConfig {
                        $0.carpel = PodSandboxExtension {
                            $0.volumes = [
                                PodVolume {
                                    $0.name = "data"
                                    $0.persistent = PersistentVolume { $0.volume = "data" }
                                }
                            ]
                        }
                    })
                let container = try await client.runContainer(
                    in: pod,
                    containerConfig("main", image, ["sleep", "1000"]) {
                        $0.devices = [
                            Device {
                                $0.containerPath = "/dev/data"
                                $0.carpel = DeviceExtension { $0.volume = "data" }
                            }
                        ]
                    })
                let wrote = try await client.exec(
                    container, "sh", "-c", "echo kept | dd of=/dev/data conv=fsync && head -c 5 /dev/data")
                #expect(wrote.code == 0 && wrote.out == "kept\n")
                let address = try #require(try await client.podStatus(pod).status?.network?.ip)
                #expect(try await network.shell("ping -c 1 -W 5 \(address)").contains("1 received"))
                try await client.removePod(pod)
                #expect(try await network.shell("ip -o link show type tun | wc -l") == "0\n")
                _ = try await client.call(Methods.removeVolume, RemoveVolumeRequest { $0.volume = "data" })
                _ = node
            }
            try await network.remove()
        }
    }
}
