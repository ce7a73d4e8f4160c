import CarpelAPI
import CarpelClient
import CarpelCore
import Foundation
import TestSupport
import Testing

private let gibibyte: Int64 = 1 << 30
private let mebibyte: Int64 = 1 << 20

extension SystemTests {
    /// Real volumes in real pods.
    @Suite(.serialized) struct VolumeTests {
        private static let image = "localhost/busybox:1"

        private func withNode(_ body: (Node, CarpelClient) async throws -> Void) async throws {
            let folder = try TemporaryFolder()
            let plugins = try installPlugins(["storage-local"], in: folder)
            let settings = "networks: { default: none }\nplugins: { folders: [\(plugins)] }\n"
            try await Node.with(settings: settings, folder: folder) { node, client in
                try await client.importImage(try await Fixtures.shared.layout(), as: Self.image)
                try await body(node, client)
            }
        }

        private func persistent(_ name: String, _ mode: VolumeAccessMode = .SINGLE_WRITER) -> PodVolume {
            PodVolume {
                $0.name = "data"
                $0.persistent = PersistentVolume {
                    $0.volume = name
                    $0.accessMode = mode
                }
            }
        }

        private func empty(_ name: String, _ medium: EmptyDirVolume.Medium, _ size: Int64) -> PodVolume {
            PodVolume {
                $0.name = name
                $0.emptyDir = EmptyDirVolume {
                    $0.medium = medium
                    $0.sizeLimitBytes = size
                }
            }
        }

        private func mount(_ volume: String, _ path: String, _ set: (inout Mount) -> Void = { _ in }) -> Mount {
            var mount = Mount {
                $0.containerPath = path
                $0.carpel = MountExtension { $0.volume = volume }
            }
            set(&mount)
            return mount
        }

        /// A pod with these volumes, and a container in it that has these mounts.
        private func run(
            _ client: CarpelClient, _ name: String, _ volumes: [PodVolume], _ mounts: [Mount],
            _ set: (inout ContainerConfig) -> Void = { _ in }
        ) async throws -> (pod: String, container: String) {
            let pod = try await client.runPod(
                podConfig(name) { $0.carpel = PodSandboxExtension { $0.volumes = volumes } })
            return (pod, try await runContainer(client, in: pod, "main", mounts, set))
        }

        private func runContainer(
            _ client: CarpelClient, in pod: String, _ name: String, _ mounts: [Mount],
            _ set: (inout ContainerConfig) -> Void = { _ in }
        ) async throws -> String {
            try await client.runContainer(
                in: pod,
                containerConfig(name, Self.image, ["sleep", "1000"]) {
                    $0.mounts = mounts
                    set(&$0)
                })
        }

        @discardableResult
        private func output(
            _ client: CarpelClient, _ container: String, _ command: String
        ) async throws -> String {
            let result = try await client.exec(container, "sh", "-c", command)
            guard result.code == 0 else { throw SupportError("\(command): \(result.code) \(result.err)") }
            return result.out
        }

        private func create(_ client: CarpelClient, _ set: (inout CreateVolumeRequest) -> Void) async throws {
            var request = CreateVolumeRequest()
            set(&request)
            _ = try await client.call(Methods.createVolume, request)
        }

        private func sql(_ client: CarpelClient, _ container: String, _ statement: String) async throws -> String {
            try await output(client, container, "sqlite3 /data/shop.db \"\(statement)\"")
        }

        @Test(arguments: [["format": "raw", "fsType": "ext4"], ["format": "qcow2", "fsType": "xfs"]])
        func aDatabaseOutlivesItsPodAndTheDaemonAndASnapshotRestoresIt(_ parameters: [String: String]) async throws {
            try await withNode { node, _ in
                var client = try await node.connect()
                try await create(client) {
                    $0.name = "shop"
                    $0.capacityBytes = gibibyte / 2
                    $0.parameters = parameters
                }
                let volumes = [persistent("shop")]
                let first = try await run(client, "first", volumes, [mount("data", "/data")])
                _ = try await sql(
                    client, first.container, "create table orders (item); insert into orders values ('tea')")
                try await node.killDaemon()
                try await node.startDaemon()
                client = try await node.connect()
                #expect(try await sql(client, first.container, "select item from orders") == "tea\n")

                // While the pod writes on: the snapshot is of one moment.
                let snapshot = CreateVolumeSnapshotRequest {
                    $0.volume = "shop"
                    $0.name = "monday"
                }
                #expect(
                    try await client.call(Methods.createVolumeSnapshot, snapshot).snapshot?.name == "monday")
                _ = try await sql(client, first.container, "insert into orders values ('coffee')")
                try await client.removePod(first.pod)

                let second = try await run(client, "second", volumes, [mount("data", "/data")])
                #expect(
                    try await sql(client, second.container, "pragma integrity_check; select item from orders")
                        == "ok\ntea\ncoffee\n")
                let restore = RestoreVolumeRequest {
                    $0.volume = "shop"
                    $0.snapshot = "monday"
                }
                let busy = await #expect(throws: CarpelError.self) {
                    try await client.call(Methods.restoreVolume, restore)
                }
                #expect(busy?.code == .failedPrecondition)
                try await client.removePod(second.pod)
                _ = try await client.call(Methods.restoreVolume, restore)

                let third = try await run(client, "third", volumes, [mount("data", "/data")])
                #expect(
                    try await sql(client, third.container, "pragma integrity_check; select item from orders")
                        == "ok\ntea\n")
            }
        }

        @Test func aVolumeGrowsUnderARunningPodAndIsItsAlone() async throws {
            try await withNode { node, client in
                try await create(client) {
                    $0.name = "data"
                    $0.capacityBytes = 64 * mebibyte
                }
                let holder = try await run(client, "holder", [persistent("data")], [mount("data", "/data")])
                let size = "df -m /data | tail -1 | awk '{print $2}'"
                let before = try #require(
                    Int(try await output(client, holder.container, size).trimmingCharacters(in: .newlines)))
                let expand = ExpandVolumeRequest {
                    $0.volume = "data"
                    $0.capacityBytes = 256 * mebibyte
                }
                let expanded = try await client.call(Methods.expandVolume, expand).volume
                #expect(expanded?.capacityBytes == 256 * mebibyte)
                let after = try #require(
                    Int(try await output(client, holder.container, size).trimmingCharacters(in: .newlines)))
                #expect(before < 64 && after > 200)

                let status = try await client.call(Methods.volumeStatus, VolumeStatusRequest { $0.volume = "data" })
                #expect(status.volume?.podSandboxIds == [holder.pod])
                #expect((status.usage?.capacityBytes ?? 0) > 200 * mebibyte)

                let refused = await #expect(throws: CarpelError.self) {
                    try await client.runPod(
                        podConfig("rival") {
                            $0.carpel = PodSandboxExtension { $0.volumes = [self.persistent("data")] }
                        })
                }
                #expect(refused?.code == .failedPrecondition)
                let removal = await #expect(throws: CarpelError.self) {
                    try await client.call(Methods.removeVolume, RemoveVolumeRequest { $0.volume = "data" })
                }
                #expect(removal?.code == .failedPrecondition)

                try await client.removePod(holder.pod)
                let volumes = [persistent("data", .MULTI_READER)]
                let reader = try await run(client, "reader", volumes, [mount("data", "/data")])
                let another = try await run(client, "another", volumes, [mount("data", "/data")])
                for container in [reader.container, another.container] {
                    #expect(try await client.exec(container, "touch", "/data/new").code != 0)
                }
                try await client.removePod(reader.pod)
                try await client.removePod(another.pod)
                _ = try await client.call(Methods.removeVolume, RemoveVolumeRequest { $0.volume = "data" })
                let left = try await client.call(Methods.listVolumes, ListVolumesRequest())
                #expect(left.volumes.isEmpty && left.pools.map(\.plugin) == ["storage-local"])
                _ = node
            }
        }

        @Test func aBlockVolumeIsADeviceAndACloneHoldsTheSame() async throws {
            try await withNode { node, client in
                try await create(client) {
                    $0.name = "raw"
                    $0.capacityBytes = 16 * mebibyte
                    $0.mode = .BLOCK
                }
                let device = Device {
                    $0.containerPath = "/dev/data"
                    $0.carpel = DeviceExtension { $0.volume = "data" }
                }
                let writer = try await run(client, "writer", [persistent("raw")], []) { $0.devices = [device] }
                try await output(client, writer.container, "echo treasure | dd of=/dev/data bs=512 seek=9 conv=fsync")
                let mounted = await #expect(throws: CarpelError.self) {
                    try await self.runContainer(client, in: writer.pod, "wrong", [self.mount("data", "/data")])
                }
                #expect(mounted?.reason == "volumeModeMismatch")
                try await client.removePod(writer.pod)
                try await create(client) {
                    $0.name = "copy"
                    $0.sourceVolume = "raw"
                    $0.mode = .BLOCK
                }
                let reader = try await run(client, "reader", [persistent("copy")], []) { $0.devices = [device] }
                let read = "dd if=/dev/data bs=512 skip=9 count=1 2>/dev/null | head -n 1"
                #expect(try await output(client, reader.container, read) == "treasure\n")
                _ = node
            }
        }

        @Test func emptyVolumesAreSharedHoldTheirLimitsAndEndWithThePod() async throws {
            try await withNode { node, client in
                let volumes = [
                    empty("scratch", .DISK, 0), empty("small", .DISK, 8 * mebibyte),
                    empty("memory", .MEMORY, 4 * mebibyte),
                ]
                let mounts = volumes.map { mount($0.name, "/\($0.name)") }
                let first = try await run(client, "first", volumes, mounts)
                let second = try await runContainer(
                    client, in: first.pod, "second",
                    [
                        mount("scratch", "/sub") { $0.carpel?.subPath = "a/b" },
                        mount("small", "/small") { $0.readonly = true },
                    ])
                for volume in volumes.map(\.name) {
                    try await output(client, first.container, "echo hello > /\(volume)/greeting")
                }
                #expect(try await output(client, second, "cat /small/greeting") == "hello\n")
                #expect(try await client.exec(second, "touch", "/small/new").code != 0)
                try await output(client, second, "echo below > /sub/file")
                #expect(try await output(client, first.container, "cat /scratch/a/b/file") == "below\n")

                for (volume, limit) in [("small", 8), ("memory", 4)] {
                    let filling = "dd if=/dev/zero of=/\(volume)/big bs=1M count=\(limit + 1)"
                    let full = try await client.exec(first.container, "sh", "-c", filling)
                    #expect(full.code != 0 && full.err.contains("No space left"))
                }
                let disk = "\(node.root)/pods/\(first.pod)/volume-1.raw"
                #expect(FileManager.default.fileExists(atPath: disk))
                try await client.stopPod(first.pod)
                #expect(!FileManager.default.fileExists(atPath: disk))
            }
        }

        @Test func filesOfTheNodeAreLiveInThePod() async throws {
            try await withNode { node, client in
                let shared = "\(node.folder.path)/shared"
                _ = try node.folder.file("shared/live.txt", "one\n")
                _ = try node.folder.file("shared/disk/below.txt")
                // Only of a mount that is shared do others learn what is mounted in it.
                try await shell("mount --bind \(shared) \(shared) && mount --make-shared \(shared)")
                defer {
                    for _ in 0..<2 { umount2("\(shared)/disk", Int32(MNT_DETACH)); umount2(shared, Int32(MNT_DETACH)) }
                }
                let file = try node.folder.file("settings.conf", "debug=1\n")
                func host(_ path: String, _ target: String, _ set: (inout Mount) -> Void = { _ in }) -> Mount {
                    var mount = Mount {
                        $0.hostPath = path
                        $0.containerPath = target
                    }
                    set(&mount)
                    return mount
                }
                let pod = try await run(
                    client, "pod", [],
                    [
                        host(shared, "/shared"), host(file, "/etc/settings.conf"),
                        host(shared, "/locked") {
                            $0.readonly = true
                            $0.recursiveReadOnly = true
                        },
                        host(shared, "/following") { $0.propagation = .PROPAGATION_HOST_TO_CONTAINER },
                    ])
                #expect(
                    try await output(client, pod.container, "cat /shared/live.txt /etc/settings.conf")
                        == "one\ndebug=1\n")
                try "two\n".write(toFile: "\(shared)/live.txt", atomically: true, encoding: .utf8)
                // The guest may believe for a second what it has read.
                try await eventually("the pod sees the new file") {
                    try await output(client, pod.container, "cat /shared/live.txt /locked/live.txt") == "two\ntwo\n"
                }
                try await output(client, pod.container, "echo back > /shared/reply.txt")
                #expect(try String(contentsOfFile: "\(shared)/reply.txt", encoding: .utf8) == "back\n")
                #expect(try await client.exec(pod.container, "touch", "/locked/new").code != 0)

                try await shell("mount -t tmpfs tmpfs \(shared)/disk && echo mounted > \(shared)/disk/file")
                let followed = try await client.exec(pod.container, "cat", "/following/disk/file")
                let unfollowed = try await client.exec(pod.container, "cat", "/shared/disk/file")
                #expect(followed.out == "mounted\n" && unfollowed.code != 0)

                // A container that comes later sees what was not there at the start, also after the daemon's death.
                try await node.killDaemon()
                try await node.startDaemon()
                let again = try await node.connect()
                _ = try node.folder.file("late/file.txt", "late\n")
                let late = try await runContainer(
                    again, in: pod.pod, "late", [host("\(node.folder.path)/late", "/late")])
                #expect(try await output(again, late, "cat /late/file.txt") == "late\n")

                let missing = await #expect(throws: CarpelError.self) {
                    try await self.runContainer(again, in: pod.pod, "missing", [host("\(shared)/nowhere", "/x")])
                }
                #expect(missing?.reason == "hostPathMissing" && missing?.field == "config.mounts[0].hostPath")

                try await again.removeContainer(late)
                try await again.removePod(pod.pod)
                #expect(try String(contentsOfFile: "\(shared)/live.txt", encoding: .utf8) == "two\n")
                let mounts = try String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)
                #expect(!mounts.contains(node.state))
            }
        }

        @Test func anImageCanBeMounted() async throws {
            try await withNode { node, client in
                let source = Mount {
                    $0.containerPath = "/tools"
                    $0.image = ImageSpec { $0.image = Self.image }
                    $0.imageSubPath = "etc"
                    $0.readonly = true
                }
                let pod = try await run(client, "pod", [], [source])
                #expect(try await output(client, pod.container, "cat /tools/group").hasPrefix("root:"))
                #expect(try await client.exec(pod.container, "touch", "/tools/new").code != 0)
                let unknown = await #expect(throws: CarpelError.self) {
                    try await self.runContainer(
                        client, in: pod.pod, "unknown",
                        [
                            Mount {
                                $0.containerPath = "/x"
                                $0.image = ImageSpec { $0.image = "localhost/missing:1" }
                            }
                        ])
                }
                #expect(unknown?.reason == "imageNotFound" && unknown?.field == "config.mounts[0].image.image")
                _ = node
            }
        }
    }
}
