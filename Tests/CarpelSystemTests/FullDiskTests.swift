import CarpelAPI
import CarpelClient
import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// Containers whose logs are on a small file system.
    @Suite(.serialized) struct FullDiskTests {
        private static let (small, large) = ("size=512k", "size=64m")

        @Test(.timeLimit(.minutes(5))) func aContainerWaitsForRoomInItsLogAndNothingIsLostUnseen() async throws {
            try await Node.with { node, client in
                try await client.importImage(try await Fixtures.shared.layout(), as: testImage)
                let disk = try await SmallDisk(at: "\(node.folder.path)/logs", Self.small)
                let pod = try await client.runPod(podConfig { $0.logDirectory = disk.path })
                try await waitsForRoom(node, client, pod, disk)
                try await waitsThroughARestart(node, pod, disk)
                try await isCountedAtTheEnd(try await node.connect(), pod, disk)
                withExtendedLifetime(disk) {}
            }
        }

        private func numbers(to last: Int) -> [String] { (1...last).map { "\($0)" } }

        private func bytesOfNumbers(to last: Int) -> Int { numbers(to: last).reduce(0) { $0 + $1.utf8.count + 1 } }

        /// Bytes of output that are in a log, the beginning of a line included.
        private func bytesLogged(_ path: String) throws -> Int {
            try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").reduce(0) { sum, entry in
                let parts = entry.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
                return sum + parts[3].utf8.count + (parts[2] == "F" ? 1 : 0)
            }
        }

        /// A container that writes the numbers, of which the disk and the guest's buffer hold a part.
        private func runLoud(
            _ name: String, to last: Int, _ client: CarpelClient, _ pod: String
        ) async throws -> String {
            let id = try await client.runContainer(
                in: pod,
                containerConfig(name, testImage, ["sh", "-c", "seq \(last); touch /tmp/done; sleep 100000"]) {
                    $0.logPath = "\(name).log"
                })
            try await expectFull(id, client)
            return id
        }

        private func expectFull(_ id: String, _ client: CarpelClient) async throws {
            try await eventually("the log's failure is told") {
                try await client.logInfo(id).failure?.contains("No space left") ?? false
            }
            #expect(try await client.containerStatus(id).state == .CONTAINER_RUNNING)
            #expect(try await client.exec(id, "true").code == 0)
        }

        private func waitsForRoom(
            _ node: Node, _ client: CarpelClient, _ pod: String, _ disk: SmallDisk
        ) async throws {
            let id = try await runLoud("loud", to: 300_000, client, pod)
            // One whose log has room does not wait.
            let own = try await client.runContainer(in: pod, containerConfig("own", testImage, ["echo", "unhindered"]))
            #expect(try await client.exit(of: own).exitCode == 0)
            #expect(try logLines([try await client.containerStatus(own).logPath]) == ["unhindered"])

            try await disk.change(Self.large)
            let log = "\(disk.path)/loud.log"
            try await eventually("all is written", within: .seconds(120)) { try logLines([log]).last == "300000" }
            #expect(try logLines([log]) == numbers(to: 300_000))
            try await eventually("the failure is over") { try await client.logInfo(id).failure == nil }
            #expect(try await client.logInfo(id).lostBytes == 0)
            // Once, however often it was tried.
            #expect(node.log.components(separatedBy: "cannot copy output to the log").count == 2)
            try await client.removeContainer(id)
        }

        /// Empties the disk and makes it small again.
        private func reset(_ disk: SmallDisk) async throws {
            try await shell("rm -f \"$1\"/*", disk.path)
            try await disk.change(Self.small)
        }

        private func waitsThroughARestart(_ node: Node, _ pod: String, _ disk: SmallDisk) async throws {
            try await reset(disk)
            let id = try await runLoud("restarted", to: 300_000, try await node.connect(), pod)
            try await node.killDaemon()
            try await node.startDaemon()
            let client = try await node.connect()
            try await expectFull(id, client)

            try await disk.change(Self.large)
            let log = "\(disk.path)/restarted.log"
            try await eventually("the log goes on", within: .seconds(120)) { try logLines([log]).last == "300000" }
            // While the daemon was away the container did not wait.
            let lost = try await client.logInfo(id).lostBytes
            #expect(try bytesLogged(log) + lost == bytesOfNumbers(to: 300_000))
            try await client.removeContainer(id)
        }

        private func isCountedAtTheEnd(_ client: CarpelClient, _ pod: String, _ disk: SmallDisk) async throws {
            try await reset(disk)
            // The guest's buffer holds all of it.
            let id = try await runLoud("stopped", to: 100_000, client, pod)
            try await eventually("all is written") {
                try await client.exec(id, "test", "-e", "/tmp/done").code == 0
            }
            try await client.stopPod(pod)
            let lost = try await client.logInfo(id).lostBytes
            #expect(try bytesLogged("\(disk.path)/stopped.log") + lost == bytesOfNumbers(to: 100_000) && lost > 0)
        }
    }
}
