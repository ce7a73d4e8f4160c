import CarpelAPI
import CarpelClient
import CarpelCore
import Foundation
import TestSupport
import Testing

extension SystemTests {
    @Suite(.serialized) struct LogTests {
        private func carpel(_ node: Node, _ arguments: String...) async throws -> String {
            try await shell(
                "exec \"$0\" --socket \"$@\"".replacingOccurrences(of: "$0", with: "\(repository)/.build/debug/carpel"),
                [node.socket] + arguments)
        }

        /// The kubelet's rotation, under load, with a daemon that dies in its middle.
        @Test func everyLineIsThereOnceOverRotationsAndTheDaemonsDeath() async throws {
            let (registry, image) = try await Fixtures.shared.get()
            try await Node.with(registry: registry) { node, client in
                try await client.pull(image)
                let folder = "\(node.folder.path)/logs"
                let pod = try await client.runPod(podConfig { $0.logDirectory = folder })
                let counting = try await client.runContainer(
                    in: pod,
                    containerConfig(
                        "counting", image, ["sh", "-c", "i=0; while true; do echo $i; i=$((i+1)); done"]
                    ) { $0.logPath = "0.log" })
                let path = "\(folder)/0.log"
                let waiting = try ChildProcess(
                    "\(repository)/.build/debug/carpel", ["wait", "--socket", node.socket, "web/counting"],
                    log: "\(node.folder.path)/wait.log")
                var files: [String] = []
                func growth(_ path: String) async throws {
                    let length = { try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0 }
                    let before = (try? length()) ?? 0
                    try await eventually("\(path) grows") { (try? length()) ?? 0 > before }
                }
                func reopen(_ client: CarpelClient) async throws {
                    _ = try await client.call(
                        Methods.reopenContainerLog, ReopenContainerLogRequest { $0.containerId = counting })
                }
                func moveAway() async throws {
                    try await growth(path)
                    files.append("\(path).2026010\(files.count + 1)-000000")
                    #expect(rename(path, files[files.count - 1]) == 0)
                }
                for _ in 0..<3 {
                    try await moveAway()
                    try await reopen(client)
                }
                // The daemon dies while the log is written, and once more between the two halves of a rotation.
                try await growth(path)
                try await node.killDaemon()
                try await node.startDaemon()
                try await moveAway()
                try await growth(files[files.count - 1])
                try await node.killDaemon()
                try await node.startDaemon()
                let next = try await node.connect()
                try await reopen(next)
                try await growth(path)
                try await next.stopContainer(counting, timeout: 0)

                let numbers = try logLines(files + [path]).map { Int($0) }
                #expect(numbers == Array(0..<numbers.count))
                #expect(numbers.count > 100)
                // Who waited was told, by the last of the daemons.
                try await eventually("the wait ends") { !waiting.isRunning }
                #expect(waiting.log == "137\n")
                // The container may have been killed in the middle of a line.
                func wholeLines(_ text: String) -> [Int?] {
                    text.prefix(through: text.lastIndex(of: "\n") ?? text.startIndex).split(separator: "\n")
                        .map { Int($0) }
                }
                let tail = try await carpel(node, "logs", "--tail", "3", "web/counting")
                #expect(wholeLines(tail) == numbers.suffix(3))
                let whole = try await carpel(node, "logs", "web/counting")
                #expect(wholeLines(whole) == numbers)
            }
        }

        @Test func whatExceedsTheAgentsBufferIsCountedAndOwnLogsAreRotated() async throws {
            let (registry, image) = try await Fixtures.shared.get()
            let settings = "logs: { maximumSize: 64Ki, maximumFiles: 3 }\n"
            try await Node.with(registry: registry, settings: settings) { node, client in
                try await client.pull(image)
                let pod = try await client.runPod(podConfig { $0.logDirectory = "\(node.folder.path)/logs" })
                // Carpel's own log, which nobody else rotates.
                let own = try await client.runContainer(
                    in: pod, containerConfig("own", image, ["sh", "-c", "sleep 1; seq 40000; exit 4"]))
                let follower = try ChildProcess(
                    "\(repository)/.build/debug/carpel", ["logs", "-f", "--socket", node.socket, "web/own"],
                    log: "\(node.folder.path)/follow.log")
                #expect(try await carpel(node, "wait", "--timeout", "60", "web/own") == "4\n")
                let path = try await client.containerStatus(own).logPath
                let files = ["\(path).2", "\(path).1", path]
                #expect(
                    try FileManager.default.contentsOfDirectory(atPath: (path as NSString).deletingLastPathComponent)
                        .filter { $0.hasPrefix(own) }.count == 3)
                for file in files {
                    let size = try FileManager.default.attributesOfItem(atPath: file)[.size] as? Int ?? 0
                    // A piece of output, of at most 16 KiB, is in one file, and each of its short lines has a time.
                    #expect(size > 0 && size < 1 << 20)
                }
                let kept = try logLines(files).compactMap { Int($0) }
                // The oldest file may begin in the middle of a line.
                #expect(Array(kept.dropFirst()) == Array((40_002 - kept.count)...40_000) && kept.count < 40_000)
                #expect(
                    try await carpel(node, "logs", "web/own").split(separator: "\n").compactMap { Int($0) } == kept)
                // Who follows reads as fast as is written, as long as no file goes before it is read.
                try await eventually("the follower ends with the container") { !follower.isRunning }
                #expect(follower.log.hasSuffix("39999\n40000\n"))
                try await client.removeContainer(own)
                #expect(!FileManager.default.fileExists(atPath: files[0]))

                // The daemon is away while much more is written than the agent keeps.
                let flag = "\(node.folder.path)/flag"
                try FileManager.default.createDirectory(atPath: flag, withIntermediateDirectories: false)
                let loud = try await client.runContainer(
                    in: pod,
                    containerConfig(
                        "loud", image,
                        [
                            "sh", "-c",
                            "while ! [ -e /flag/go ]; do sleep 0.1; done; seq 400000; touch /flag/done; sleep 1000",
                        ]
                    ) {
                        $0.logPath = "loud/0.log"
                        $0.mounts = [
                            Mount {
                                $0.hostPath = flag
                                $0.containerPath = "/flag"
                            }
                        ]
                    })
                try await node.killDaemon()
                #expect(FileManager.default.createFile(atPath: "\(flag)/go", contents: nil))
                try await eventually("all is written", within: .seconds(120)) {
                    FileManager.default.fileExists(atPath: "\(flag)/done")
                }
                try await node.startDaemon()
                let next = try await node.connect()
                let log = "\(node.folder.path)/logs/loud/0.log"
                try await eventually("the log has what was kept") { (try? logLines([log]).last) == "400000" }
                let text = try logLines([log])
                let inLog = text.map { $0.utf8.count + 1 }.reduce(0, +)
                let written = (1...400_000).map { "\($0)".utf8.count + 1 }.reduce(0, +)
                #expect(inLog < written)
                let inspected = try await carpel(node, "inspect", "web/loud")
                #expect(inspected.contains("lostBytes"))
                let info = try await next.logInfo(loud)
                #expect(info.lostRecords > 0 && inLog + info.lostBytes == written)
                #expect(node.log.contains("output was lost while nobody listened"))
            }
        }
    }
}
