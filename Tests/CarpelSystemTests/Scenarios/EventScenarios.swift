import CarpelAPI
import CarpelClient
import CarpelCore
import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// Events over the socket, on fake machines.
    @Suite(.serialized, .timeLimit(.minutes(2))) struct EventScenarios {
        private typealias Events = Subscription<ContainerEventResponse>

        /// Reads until the event of `type` of the container or pod.
        private func events(
            of events: Events, until type: ContainerEventType, of id: String
        ) async throws -> [Events.Element] {
            var read: [Events.Element] = []
            for try await event in events {
                read.append(event)
                if event.item.containerId == id, event.item.containerEventType == type { break }
            }
            return read
        }

        private func types(_ events: [Events.Element], of id: String) -> [ContainerEventType] {
            events.filter { $0.item.containerId == id }.map(\.item.containerEventType)
        }

        private static let wholeLife: [ContainerEventType] = [
            .CONTAINER_CREATED_EVENT, .CONTAINER_STARTED_EVENT, .CONTAINER_STOPPED_EVENT, .CONTAINER_DELETED_EVENT,
        ]

        @Test(arguments: WorldKind.allCases) func eachStepOfALifeIsToldOnceWithTheStatesAfterIt(_ kind: WorldKind)
            async throws
        {
            try await withWorld(kind) { world, client in
                let events = try await client.subscribe(Methods.getContainerEvents, GetEventsRequest())
                let pod = try await client.runPod()
                let id = try await client.runContainer(
                    in: pod, containerConfig("a", testImage, world.command(exitingWith: 3)))
                _ = try await client.exit(of: id)
                let failing = try await client.createContainer(in: pod, containerConfig("b", testImage, ["missing"]))
                await #expect(throws: CarpelError.self) { try await client.startContainer(failing) }
                try await client.removeContainer(id)
                try await client.removePod(pod)

                let told = try await self.events(of: events, until: .CONTAINER_DELETED_EVENT, of: pod)
                #expect(types(told, of: id) == Self.wholeLife)
                #expect(types(told, of: pod) == Self.wholeLife)
                // It never started.
                #expect(types(told, of: failing) == Self.wholeLife.filter { $0 != .CONTAINER_STARTED_EVENT })
                #expect(told.allSatisfy { $0.missed == 0 && $0.item.podSandboxStatus?.id == pod })

                let stopped = try #require(
                    told.first { $0.item.containerId == id && $0.item.containerEventType == .CONTAINER_STOPPED_EVENT })
                let status = stopped.item.containersStatuses.first { $0.id == id }
                #expect(status?.state == .CONTAINER_EXITED && status?.exitCode == 3)
                #expect(stopped.item.podSandboxStatus?.state == .SANDBOX_READY)
                #expect(stopped.item.createdAt > 0)
                let gone = try #require(
                    told.first { $0.item.containerId == id && $0.item.containerEventType == .CONTAINER_DELETED_EVENT })
                #expect(!gone.item.containersStatuses.contains { $0.id == id })
                // A pod ends after its containers.
                #expect(told.last?.item.containerId == pod)
                #expect(told.last?.item.podSandboxStatus?.state == .SANDBOX_NOTREADY)
            }
        }

        @Test func whatADaemonFindsWhenItStartsIsToldOnce() async throws {
            try await withFakeNode { node, client in
                let pod = try await client.runPod()
                let id = try await client.runContainer(in: pod, containerConfig("a", testImage, ["sleep", "1000"]))
                let lives = try await client.runContainer(in: pod, containerConfig("b", testImage, ["sleep", "1000"]))
                let dead = try await client.runPod(podConfig("dead"))
                let lost = try await client.runContainer(in: dead, containerConfig("c", testImage, ["sleep", "1000"]))
                try await node.stopDaemon()
                await node.guest(of: pod)?.end(id, code: 5)
                try await node.killMachine(of: dead)
                try await node.startDaemon()

                let next = try await node.connect()
                let events = try await next.subscribe(Methods.getContainerEvents, GetEventsRequest())
                try await next.stopContainer(lives, timeout: 0)
                let told = try await self.events(of: events, until: .CONTAINER_STOPPED_EVENT, of: lives)
                for stopped in [id, lost, dead, lives] {
                    #expect(types(told, of: stopped) == [.CONTAINER_STOPPED_EVENT])
                }
                #expect(types(told, of: pod).isEmpty)
                let ids = told.map(\.item.containerId)
                #expect(try #require(ids.firstIndex(of: lost)) < (try #require(ids.firstIndex(of: dead))))
                #expect(
                    told.first { $0.item.containerId == id }?.item.containersStatuses.first { $0.id == id }?.exitCode
                        == 5)
            }
        }

        @Test func aSlowReaderIsToldWhatItMissedAndSlowsNobody() async throws {
            try await withFakeNode { node, client in
                let slow = try await client.subscribe(Methods.getContainerEvents, GetEventsRequest())
                let attentive = try await client.subscribe(Methods.getContainerEvents, GetEventsRequest())
                let reading = Task {
                    try await self.events(of: attentive, until: .CONTAINER_DELETED_EVENT, of: "last").count
                }
                // More than the socket and what is kept hold together.
                let pod = try await client.runPod(
                    podConfig { $0.annotations = ["a": String(repeating: "x", count: 8192)] })
                var containers = 0
                while containers < 60 {
                    let id = try await client.runContainer(
                        in: pod, containerConfig("c\(containers)", testImage, ["exit", "0"]))
                    _ = try await client.exit(of: id)
                    try await client.removeContainer(id)
                    containers += 1
                }
                try await client.removePod(pod)

                let told = try await self.events(of: slow, until: .CONTAINER_DELETED_EVENT, of: pod)
                let missed = told.map(\.missed).reduce(0, +)
                #expect(missed > 0)
                #expect(told.count + Int(missed) == 4 * (containers + 1))
                reading.cancel()
                _ = await reading.result
            }
        }

        @Test func aWatchBeginsWithWhatIsThereAndGoesOnFromARevision() async throws {
            try await withFakeNode { node, client in
                let pod = try await client.runPod()
                let image = try #require(try await client.images().first?.id)
                func watch(_ revision: UInt64 = 0) async throws -> Subscription<WatchNodeResponse>.AsyncIterator {
                    try await client.subscribe(Methods.watchNode, WatchNodeRequest { $0.revision = revision })
                        .makeAsyncIterator()
                }
                // Images are looked for a moment later.
                try await eventually("the image is known") {
                    let everything = try await watch()
                    while let object = try await everything.next()?.item, object.type == .ADDED {
                        if object.kind == .IMAGE { return object.id == image && object.image?.id == image }
                    }
                    return false
                }
                let first = try await watch()
                var present: [WatchNodeResponse.Kind] = []
                var bookmark: UInt64 = 0
                while let object = try await first.next()?.item {
                    bookmark = object.revision
                    if object.type == .BOOKMARK { break }
                    present.append(object.kind)
                }
                #expect(present.sorted { $0.rawValue < $1.rawValue } == [.IMAGE, .POD])

                let id = try await client.runContainer(in: pod, containerConfig("a", testImage, ["exit", "1"]))
                try await client.removeContainer(id)
                try await client.removeImage(testImage)
                func changes(_ watch: Subscription<WatchNodeResponse>.AsyncIterator) async throws -> [WatchNodeResponse]
                {
                    var changes: [WatchNodeResponse] = []
                    while let change = try await watch.next()?.item {
                        changes.append(change)
                        if change.kind == .IMAGE, change.type == .REMOVED { break }
                    }
                    return changes
                }
                let seen = try await changes(first)
                let lives = seen.filter { $0.kind == .CONTAINER }
                #expect(lives.first?.type == .ADDED && lives.last?.type == .REMOVED)
                #expect(lives.allSatisfy { $0.id == id && $0.podSandboxId == pod })
                #expect(lives.contains { $0.container?.state == .CONTAINER_EXITED && $0.container?.exitCode == 1 })
                #expect(seen.map(\.revision) == Array((bookmark + 1)...(bookmark + UInt64(seen.count))))

                // Another reader goes on where this one was in the middle.
                #expect(try await changes(watch(seen[1].revision)) == Array(seen.dropFirst(2)))

                func refused(_ revision: UInt64) async throws -> CarpelError? {
                    do {
                        _ = try await watch(revision)
                        return nil
                    } catch let error as CarpelError { return error }
                }
                // One that was never given, one that is too old to be kept, and one of an earlier run.
                #expect(try await refused(bookmark + 1_000_000)?.reason == "revisionGone")
                try await client.importImage(try await Fixtures.shared.layout(), as: testImage)
                for number in 0..<(FakeNode.eventsKept / 4) {
                    let id = try await client.runContainer(
                        in: pod, containerConfig("b\(number)", testImage, ["exit", "0"]))
                    try await client.removeContainer(id)
                }
                #expect(try await refused(bookmark)?.code == .outOfRange)
                let latest = try #require(try await latestRevision(client))
                #expect(try await refused(latest) == nil)
                try await node.restartDaemon()
                let next = try await node.connect()
                await #expect {
                    try await next.subscribe(Methods.watchNode, WatchNodeRequest { $0.revision = latest })
                } throws: {
                    ($0 as? CarpelError)?.reason == "revisionGone"
                }
                #expect(try #require(try await latestRevision(next)) > latest)
            }
        }

        private func latestRevision(_ client: CarpelClient) async throws -> UInt64? {
            for try await object in try await client.subscribe(Methods.watchNode, WatchNodeRequest())
            where object.item.type == .BOOKMARK { return object.item.revision }
            return nil
        }

        @Test func listsComeInPartsOfABoundedSize() async throws {
            try await withFakeNode { node, client in
                let pod = try await client.runPod()
                var made: Set<String> = []
                for number in 0..<20 {
                    made.insert(
                        try await client.createContainer(
                            in: pod,
                            containerConfig("c\(number)", testImage, ["exit", "0"]) {
                                $0.annotations = ["a": String(repeating: "x", count: 40_000)]
                                $0.labels = ["even": "\(number % 2 == 0)"]
                            }))
                }
                var parts: [[ContainerItem]] = []
                for try await part in try await client.subscribe(Methods.streamContainers, StreamContainersRequest()) {
                    parts.append(part.item.containers)
                }
                #expect(parts.count == 4 && parts.allSatisfy { (1...6).contains($0.count) })
                #expect(parts.joined().map(\.id).count == 20 && Set(parts.joined().map(\.id)) == made)

                var even = 0
                let filter = ContainerFilter { $0.labelSelector = ["even": "true"] }
                for try await part in try await client.subscribe(
                    Methods.streamContainers, StreamContainersRequest { $0.filter = filter })
                { even += part.item.containers.count }
                #expect(even == 10)

                var pods: [PodSandboxItem] = []
                for try await part in try await client.subscribe(
                    Methods.streamPodSandboxes, StreamPodSandboxesRequest())
                { pods += part.item.podSandboxes }
                #expect(pods.map(\.id) == [pod])
                var images: [ImageItem] = []
                for try await part in try await client.subscribe(Methods.streamImages, StreamImagesRequest()) {
                    images += part.item.images
                }
                #expect(try await images == client.images())
            }
        }

        @Test func theCommandLineShowsWhatHappens() async throws {
            try await withFakeNode { node, client in
                let folder = try TemporaryFolder()
                func carpel(_ name: String, _ arguments: String...) throws -> ChildProcess {
                    try ChildProcess(
                        "\(repository)/.build/debug/carpel", arguments + ["--socket", node.paths.socket],
                        log: "\(folder.path)/\(name)")
                }
                let present = try await client.runPod(podConfig("present"))
                let changes = try carpel("changes", "events", "--all", "--format", "json")
                let exits = try carpel(
                    "exits", "events", "--all", "--filter", "kind=container", "--filter", "state=exited",
                    "--filter", "type=modified")
                let cri = try carpel("cri", "events", "--cri")
                try await eventually("the pod is shown") { changes.log.contains(present) }
                // Until CRI's events are subscribed to, there are none.
                var started = 0
                while !cri.log.contains(" created "), started < 600 {
                    started += 1
                    let pod = try await client.runPod(podConfig("web\(started)"))
                    try await client.removePod(pod)
                }
                let pod = try await client.runPod()
                _ = try await client.runContainer(in: pod, containerConfig("a", testImage, ["exit", "3"]))
                try await eventually("all is shown") {
                    exits.log.contains("web/a  exited with 3 (Error)") && cri.log.contains("web/a")
                        && changes.log.contains(#""exitCode":3"#)
                }
                #expect(exits.log.split(separator: "\n").count == 1)
                for line in changes.log.split(separator: "\n") {
                    _ = try JSONDecoder().decode(WatchNodeResponse.self, from: Data(line.utf8))
                }

                let running = try await client.runContainer(
                    in: pod, containerConfig("b", testImage, ["sleep", "1000"]))
                let waits = try carpel("waits", "wait", "web")
                let impatient = try carpel("impatient", "wait", "--timeout", "0", "web/b")
                try await eventually("the one that waits no longer ends") { !impatient.isRunning }
                #expect(impatient.log.contains("took longer"))
                try await eventually("the first exit is told") { waits.log == "3\n" }
                try await node.restartDaemon()
                let next = try await node.connect()
                try await next.stopContainer(running, timeout: 0)
                try await eventually("the second exit is told, by another daemon") { !waits.isRunning }
                #expect(waits.log == "3\n137\n")
                // Their daemon is gone.
                for process in [changes, exits, cri] {
                    try await eventually("it ends") { !process.isRunning }
                    #expect(process.log.contains("closed the connection"))
                }
            }
        }

        /// What a stranger sees who speaks JSON: the answer first, then the items, then the end; also where it has
        /// said all that it will say.
        @Test func aStrangerReadsAStreamToItsEnd() async throws {
            try await withFakeNode { node, client in
                let pod = try await client.runPod()
                let output = try await shell(
                    """
                    { echo '{"jsonrpc":"2.0","id":"a","method":"StreamPodSandboxes"}'
                      echo '{"jsonrpc":"2.0","method":"StreamPodSandboxes"}'
                      echo '[{"jsonrpc":"2.0","id":"b","method":"GetContainerEvents"}]'
                      echo '{"jsonrpc":"2.0","id":"c","method":"Unsubscribe","params":{"subscription":"s2"}}'
                      sleep 1; echo '{"jsonrpc":"2.0","id":"d","method":"Unsubscribe","params":{"subscription":"s2"}}'
                    } | socat -t 30 - "UNIX-CONNECT:$1"
                    """, node.paths.socket)
                let lines = try output.split(separator: "\n").map {
                    try JSONSerialization.jsonObject(with: Data($0.utf8))
                }
                let list = lines.compactMap { $0 as? [String: Any] }.filter {
                    $0["id"] as? String == "a" || $0["method"] as? String == "StreamPodSandboxes"
                }
                #expect(list.count == 3)
                let subscription = (list[0]["result"] as? [String: Any])?["subscription"] as? String
                let item = try #require(list[1]["params"] as? [String: Any])
                #expect(item["subscription"] as? String == subscription && item["end"] as? Bool == false)
                let pods = (item["item"] as? [String: Any])?["podSandboxes"] as? [[String: Any]]
                #expect(pods?.map { $0["id"] as? String } == [pod])
                let end = try #require(list[2]["params"] as? [String: Any])
                #expect(end["end"] as? Bool == true && end["item"] == nil && end["error"] == nil)
                #expect(lines.contains { ($0 as? [String: Any])?["id"] as? String == "d" })
                let events = lines.compactMap { $0 as? [String: Any] }.filter {
                    $0["method"] as? String == "GetContainerEvents"
                }
                #expect(events.count == 1 && (events[0]["params"] as? [String: Any])?["end"] as? Bool == true)
            }
        }
    }
}
