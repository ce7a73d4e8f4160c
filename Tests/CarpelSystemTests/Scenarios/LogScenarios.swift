import CarpelAPI
import CarpelClient
import CarpelCore
import CarpelGuestProtocol
import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// Logs of fake machines, whose agents drop what they are told to.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct LogScenarios {
        private func numbers(_ path: String) -> [Int] {
            ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").split(separator: "\n")
                .compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
        }

        private func lost(_ id: String, _ client: CarpelClient) async throws -> [Int] {
            let info = try await client.logInfo(id)
            return [info.lostBytes, info.lostRecords]
        }

        @Test func whatTheAgentHadToDropIsCountedAndTheRestIsThereOnce() async throws {
            try await withFakeNode { node, client in
                let pod = try await client.runPod()
                let id = try await client.runContainer(in: pod, containerConfig("a", testImage, ["sleep", "1000"]))
                let path = try await client.containerStatus(id).logPath
                let guest = try #require(await node.guest(of: pod))
                for number in 0..<5 { guest.write("\(number)\n", in: id) }
                try await eventually("the log has what was written") { numbers(path).count == 5 }

                // What the agent dropped was in the log already, although nobody had told it so.
                try await node.stopDaemon()
                guest.drop(before: 3, of: id)
                guest.write("5\n", in: id)
                try await node.startDaemon()
                try await eventually("the log goes on") { numbers(path).last == 5 }
                #expect(numbers(path) == Array(0...5))
                var next = try await node.connect()
                #expect(try await lost(id, next) == [0, 0])

                try await node.stopDaemon()
                for number in 6..<12 { guest.write("\(number)\n", in: id) }
                guest.drop(before: 10, of: id)
                try await node.startDaemon()
                next = try await node.connect()
                try await eventually("the log goes on") { numbers(path).last == 11 }
                #expect(numbers(path) == Array(0...5) + [10, 11])
                try await eventually("the loss is told") {
                    try await lost(id, next) == [8, 4]
                }
                // It is told by the next daemon, too, and when the container has exited.
                guest.end(id, code: 0)
                _ = try await next.exit(of: id)
                try await node.restartDaemon()
                #expect(try await lost(id, try await node.connect()) == [8, 4])
            }
        }

        /// The agent's buffer was full of lines that the host had stored and did not release: the container waited for
        /// ever, and the rest of its output was lost with it.
        @Test func manyShortLinesAreReleasedBeforeTheyFillTheAgentsBuffer() async throws {
            try await withFakeNode { node, client in
                let pod = try await client.runPod()
                let id = try await client.runContainer(in: pod, containerConfig("a", testImage, ["sleep", "1000"]))
                let guest = try #require(await node.guest(of: pod))
                for _ in 0..<(1 << 20) / (2 + OutputRecord.overhead) { guest.write("x\n", in: id) }
                try await eventually("most of them are released") { guest.released(of: id) > 10_000 }
            }
        }

        @Test func onlyTheLogOfARunningContainerIsReopened() async throws {
            try await withFakeNode { node, client in
                let folder = "\(node.paths.root)/logs"
                let pod = try await client.runPod(podConfig { $0.logDirectory = folder })
                let id = try await client.createContainer(
                    in: pod, containerConfig("a", testImage, ["sleep", "1000"]) { $0.logPath = "a/0.log" })
                let path = "\(folder)/a/0.log"
                func reopen(_ id: String) async throws {
                    _ = try await client.call(
                        Methods.reopenContainerLog, ReopenContainerLogRequest { $0.containerId = id })
                }
                func refusal(_ id: String) async -> String? {
                    do {
                        try await reopen(id)
                        return nil
                    } catch { return (error as? CarpelError)?.reason }
                }
                #expect(await refusal("nope") == "containerNotFound")
                #expect(await refusal(id) == "containerNotRunning")
                #expect(!FileManager.default.fileExists(atPath: path))

                try await client.startContainer(id)
                let guest = try #require(await node.guest(of: pod))
                guest.write("1\n", in: id)
                try await eventually("the log has what was written") { numbers(path) == [1] }
                #expect(rename(path, path + ".old") == 0)
                guest.write("2\n", in: id)
                try await eventually("the old file is written until then") { numbers(path + ".old") == [1, 2] }
                try await reopen(id)
                // The file is there with the answer.
                #expect(FileManager.default.fileExists(atPath: path))
                guest.write("3\n", in: id)
                try await eventually("the new file is written") { numbers(path) == [3] }

                #expect(rename(path, path + ".older") == 0)
                guest.end(id, code: 0)
                _ = try await client.exit(of: id)
                #expect(await refusal(id) == "containerNotRunning")
                #expect(!FileManager.default.fileExists(atPath: path))
                #expect(numbers(path + ".old") == [1, 2] && numbers(path + ".older") == [3])
            }
        }

        /// A container was once seen to have exited before the last of its output was in the log.
        @Test func theLogOfAnExitedContainerIsComplete() async throws {
            try await withFakeNode { node, client in
                let pod = try await client.runPod()
                let guest = try #require(await node.guest(of: pod))
                for round in 0..<10 {
                    let id = try await client.runContainer(
                        in: pod, containerConfig("c\(round)", testImage, ["sleep", "1000"]))
                    let path = try await client.containerStatus(id).logPath
                    let events = try await client.subscribe(Methods.getContainerEvents, GetEventsRequest())
                    for number in 0..<200 { guest.write("\(number)\n", in: id) }
                    guest.end(id, code: 0)
                    for try await event in events where event.item.containerEventType == .CONTAINER_STOPPED_EVENT {
                        break
                    }
                    #expect(numbers(path) == Array(0..<200))
                }
            }
        }
    }
}
