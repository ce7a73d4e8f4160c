import CarpelAPI
import CarpelClient
import Foundation
import TestSupport
import Testing

extension SystemTests {
    @Suite(.serialized, .timeLimit(.minutes(3))) struct WatchTests {
        /// What the daemon has to look for, since plugins and images have no actor of the runtime's own.
        @Test func volumesAndPluginsAreWatchedToo() async throws {
            let folder = try TemporaryFolder()
            let plugins = try installPlugins(["storage-local"], in: folder)
            let settings = "networks: { default: none }\nplugins: { folders: [\(plugins)] }\n"
            try await Node.with(settings: settings, folder: folder) { node, client in
                let watch = try await client.subscribe(Methods.watchNode, WatchNodeRequest()).makeAsyncIterator()
                func next(_ isMeant: (WatchNodeResponse) -> Bool) async throws -> WatchNodeResponse? {
                    while let change = try await watch.next()?.item { if isMeant(change) { return change } }
                    return nil
                }
                let found = try await next { $0.kind == .PLUGIN && $0.plugin?.state == .READY }
                #expect(found?.id == "storage-local" && found?.plugin?.calls == 0)
                let process = try #require(found?.plugin?.processId)

                let create = CreateVolumeRequest {
                    $0.name = "data"
                    $0.capacityBytes = 64 << 20
                }
                let id = try #require(try await client.call(Methods.createVolume, create).volume?.id)
                let made = try await next { $0.kind == .VOLUME }
                #expect(made?.type == .ADDED && made?.id == id && made?.volume?.name == "data")
                let expand = ExpandVolumeRequest {
                    $0.volume = "data"
                    $0.capacityBytes = 128 << 20
                }
                _ = try await client.call(Methods.expandVolume, expand)
                let grown = try await next { $0.kind == .VOLUME }
                #expect(grown?.type == .MODIFIED && grown?.volume?.capacityBytes == 128 << 20)

                kill(process, SIGKILL)
                let again = try await next { $0.kind == .PLUGIN && $0.plugin?.state == .READY }
                #expect(again?.type == .MODIFIED && again?.plugin?.processId != process)

                _ = try await client.call(Methods.removeVolume, RemoveVolumeRequest { $0.volume = "data" })
                let gone = try await next { $0.kind == .VOLUME && $0.type == .REMOVED }
                #expect(gone?.id == id)
            }
        }

        /// Connections whose readers have said all that they will, and vanish.
        @Test func readersThatVanishLeaveNothingBehind() async throws {
            try await Node.with { node, client in
                let open = { try FileManager.default.contentsOfDirectory(atPath: "/proc/\(node.processID)/fd").count }
                _ = try await client.images()
                let before = try open()
                let input = try node.folder.file(
                    "input", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"WatchNode\"}\n")
                let readers = try (0..<20).map { number in
                    try ChildProcess(
                        "/bin/sh",
                        ["-c", "exec socat -t 1000 - \"UNIX-CONNECT:$0\" < \"$1\"", node.socket, input],
                        log: "\(node.folder.path)/reader\(number).log")
                }
                for reader in readers {
                    try await eventually("the reader has its answer") { reader.log.contains("BOOKMARK") }
                }
                #expect(try open() >= before + 20)
                for reader in readers { try await reader.end(SIGKILL) }
                try await eventually("their connections are closed") { try open() < before + 20 }
                try await eventually("all of them") { try open() <= before + 2 }
            }
        }
    }
}
