import ArgumentParser
import CarpelAPI
import CarpelPlugins
import Foundation
import Testing

@testable import CarpelCLI

struct PluginTableTests {
    @Test func pluginsThatDoNotWorkAreListedWithWhatIsWrong() {
        let plugins = [
            PluginInfo {
                $0.name = "network-bridge"
                $0.kind = .NETWORK
                $0.version = "1.1.0"
                $0.drainingVersions = ["1.0.0"]
                $0.state = .READY
                $0.residentBytes = 12_582_912
                $0.description = "A bridge"
            },
            PluginInfo {
                $0.name = "broken"
                $0.state = .FAILED
                $0.message = "plugin.json: line 3: name is missing"
            },
            PluginInfo {
                $0.name = "dying"
                $0.kind = .STORAGE
                $0.version = "2.0.0"
                $0.state = .BACKING_OFF
                $0.restarts = 3
            },
        ]
        #expect(
            PluginListCommand.table(plugins, style: .plain) == """
                NAME            KIND     VERSION              STATE        RESTARTS    MEMORY  DESCRIPTION
                network-bridge  network  1.1.0, 1.0.0 drains  ready               0  12.0 MiB  A bridge
                broken                                        failed              0
                dying           storage  2.0.0                backing off         3

                Troubles:
                  broken: plugin.json: line 3: name is missing

                """)
    }

    @Test func networksAreListedWithThoseOnThem() {
        let attachment = NetworkAttachmentInfo {
            $0.podSandboxId = "0123456789abcdef"
            $0.podName = "web"
            $0.podNamespace = "default"
            $0.network = "front"
            $0.interfaceName = "eth0"
            $0.device = "tap0"
            $0.addresses = ["10.88.0.5/16", "fd00::5/64"].map { address in PodAddress { $0.address = address } }
            $0.portMappings = [
                PortMapping {
                    $0.hostPort = 8080
                    $0.containerPort = 80
                },
                PortMapping {
                    $0.hostIp = "::1"
                    $0.hostPort = 53
                    $0.containerPort = 5353
                    $0.protocol = .UDP
                },
            ]
        }
        let networks = [
            NetworkInfo {
                $0.name = "front"
                $0.plugin = "network-bridge"
                $0.ready = true
                $0.attachments = [attachment]
            },
            NetworkInfo {
                $0.name = "back"
                $0.plugin = "mynet"
                $0.message = "every address is in use"
            },
        ]
        #expect(
            NetworkListCommand.table(networks, style: .plain) == """
                NETWORK  PLUGIN          READY  ATTACHMENTS
                front    network-bridge  yes              1
                back     mynet           no               0

                Troubles:
                  back: every address is in use

                """)
        #expect(
            NetworkListCommand.table([attachment]) == """
                POD ID         NAMESPACE  POD  NETWORK  INTERFACE  DEVICE  ADDRESSES                 PORTS
                0123456789abc  default    web  front    eth0       tap0    10.88.0.5/16, fd00::5/64  8080->80/tcp, [::1]:53->5353/udp

                """)
    }

    @Test func volumesAreListedWithTheirPodsAndPools() {
        let answer = ListVolumesResponse {
            $0.volumes = [
                VolumeInfo {
                    $0.name = "data"
                    $0.plugin = "storage-local"
                    $0.capacityBytes = 10 << 30
                    $0.allocatedBytes = 1 << 20
                    $0.podSandboxIds = ["0123456789abcdef", "fedcba9876543210"]
                },
                VolumeInfo {
                    $0.name = "raw"
                    $0.plugin = "mystore"
                    $0.mode = .BLOCK
                    $0.capacityBytes = 512
                    $0.allocatedBytes = -1
                },
            ]
            $0.pools = [
                StoragePool {
                    $0.plugin = "storage-local"
                    $0.capacityBytes = 100 << 30
                    $0.availableBytes = 90 << 30
                },
                StoragePool {
                    $0.plugin = "mystore"
                    $0.message = "the plugin has died"
                },
            ]
        }
        let pod = PodSandboxItem {
            $0.id = "0123456789abcdef"
            $0.metadata = PodSandboxMetadata { $0.name = "web" }
        }
        #expect(
            VolumeListCommand.table(answer, Inventory(pods: [pod], containers: [])) == """
                VOLUME  PLUGIN         MODE        CAPACITY  ON DISK  AGE  PODS
                data    storage-local  filesystem  10.0 GiB  1.0 MiB       web, fedcba9876543
                raw     mystore        block          512 B

                POOL            CAPACITY  AVAILABLE
                storage-local  100.0 GiB   90.0 GiB

                Troubles:
                  mystore: the plugin has died

                """)
    }

    @Test func snapshotsHaveTheirVolume() {
        let snapshot = VolumeSnapshotInfo {
            $0.name = "before"
            $0.sourceVolumeId = "data"
            $0.plugin = "storage-local"
            $0.capacityBytes = 1 << 30
        }
        #expect(
            VolumeSnapshotListCommand.table([snapshot]) == """
                SNAPSHOT  VOLUME  PLUGIN         CAPACITY  AGE
                before    data    storage-local   1.0 GiB

                """)
    }

    @Test func checksHaveARowEachAndFailuresTheirClaim() throws {
        let results = try JSONDecoder().decode(
            [CheckResult].self,
            from: Data(
                """
                [{"name":"add","claim":"ADD works","outcome":"passed","detail":"","durationNanoseconds":1000000},
                 {"name":"gc-again","claim":"GC ends","outcome":"failed","detail":"a\\nb","durationNanoseconds":2500000000},
                 {"name":"mac","claim":"MAC","outcome":"skipped","detail":"why","durationNanoseconds":10}]
                """.utf8))
        let table = CheckTable(names: results.map(\.name), style: .plain)
        #expect(
            table.title + results.map(table.row).joined() + table.summary(results) == """
                CHECK     OUTCOME     TOOK  DETAIL
                add       passed      1 ms
                gc-again  failed    2.50 s  a b
                mac       skipped    <1 ms  why

                1 passed, 1 failed, 1 skipped in 2.50 s

                What a plugin must do, and this one did not:
                  gc-again: GC ends

                """)
    }
}

struct VolumeArgumentTests {
    @Test func aSnapshotIsMadeWithoutSayingCreate() async throws {
        let short = try #require(
            try await CarpelCommand.asyncParseAsRoot(["volume", "snapshot", "data", "before"])
                as? VolumeSnapshotCreateCommand)
        #expect([short.volume, short.name] == ["data", "before"])
        #expect(
            try await CarpelCommand.asyncParseAsRoot(["volume", "snapshot", "create", "data", "x"])
                is VolumeSnapshotCreateCommand)
        #expect(try await CarpelCommand.asyncParseAsRoot(["volume", "snapshot", "ls"]) is VolumeSnapshotListCommand)
        #expect(
            try await CarpelCommand.asyncParseAsRoot(["volume", "snapshot", "rm", "x"]) is VolumeSnapshotRemoveCommand)
    }

    @Test func aVolumesRequestSaysWhatTheOptionsSay() throws {
        let command = try VolumeCreateCommand.parse([
            "--size", "10Gi", "--block", "--plugin", "mystore", "--parameter", "fsType=xfs", "--snapshot", "before",
            "data",
        ])
        let request = try command.request()
        #expect(request.name == "data")
        #expect(request.plugin == "mystore")
        #expect(request.capacityBytes == 10 << 30)
        #expect(request.mode == .BLOCK)
        #expect(request.parameters == ["fsType": "xfs"])
        #expect(request.sourceSnapshot == "before")
        #expect(try VolumeCreateCommand.parse(["data"]).request().capacityBytes == 0)
    }

    @Test(arguments: [["--size", "much"], ["--size", "0"], ["--parameter", "x"]])
    func valuesThatMeanNothingAreInvalidArguments(arguments: [String]) throws {
        let command = try VolumeCreateCommand.parse(arguments + ["data"])
        let error = #expect(throws: (any Error).self) { try command.request() }
        #expect("\(String(describing: error))".contains(arguments[0]))
    }
}
