import CarpelCore
import CarpelPluginSDK
import Foundation
import Glibc
import TestSupport
import Testing

@testable import CarpelPlugins

/// Deaths and restarts of real hosts.
@Suite struct SupervisionTests {
    @Test func aCallInWhichTheHostDiesIsMadeOnceMoreByTheNextHost() async throws {
        let node = try TestNode()
        try await node.withPlugin { plugin in
            let before = try await plugin.status.processID
            #expect(try await plugin.call("CRASH_ONCE") == .object([:]))
            let status = try await plugin.status
            #expect(status.processID != before && status.restarts == 1 && status.state == .ready)
        }
    }

    @Test func aCallThatKillsEveryHostIsUnavailableAndSaysWhy() async throws {
        let node = try TestNode()
        try await node.withPlugin { plugin in
            let error = try await plugin.refusal("CRASH")
            #expect(error.code == .unavailable && error.reason == "pluginDied", "\(error)")
            #expect(error.message.contains("signal 6") && error.message.contains("about to crash"), "\(error)")
            let exit = try await plugin.refusal("EXIT")
            #expect(exit.reason == "pluginDied" && exit.message.contains("exit code 7"), "\(exit)")
            try await plugin.call("PING")
        }
    }

    @Test func otherCallsOfAHostThatDiesGoToTheNext() async throws {
        let node = try TestNode()
        try await node.withPlugin { plugin in
            let held = Task { try await plugin.call("RELEASED") }
            try await eventually("the call is held") { FileManager.default.fileExists(atPath: node.stateFile("held")) }
            kill(try #require(try await plugin.status.processID), SIGKILL)
            try await eventually("the next host has the call") {
                unlink(node.stateFile("held"))
                return try await plugin.status.calls > 0
            }
            #expect(try await held.value == .object([:]))
        }
    }

    @Test func aHostThatIsKilledFromOutsideIsStartedAgain() async throws {
        try await TestNode().withPlugin { plugin in
            let victim = try #require(try await plugin.status.processID)
            kill(victim, SIGKILL)
            try await eventually("another host is ready") {
                let status = try await plugin.status
                return status.state == .ready && status.processID != victim
            }
            try await plugin.call("PING")
        }
    }

    @Test func aPluginThatDiesAgainAndAgainIsTriedLaterAndLater() async throws {
        let node = try TestNode { $0.limits.backoff = .seconds(600) }
        try await node.withPlugin { plugin in
            _ = try await plugin.refusal("CRASH")
            try await eventually("the plugin is backing off") {
                if case .backingOff = try await plugin.status.state { true } else { false }
            }
            let begin = ContinuousClock.now
            let error = try await plugin.refusal("PING")
            #expect(error.code == .unavailable && error.reason == "pluginBackingOff", "\(error)")
            #expect(error.message.contains("signal 6"), "\(error)")
            #expect(ContinuousClock.now - begin < .seconds(5))
        }
    }

    @Test func noHostIsLeftAfterTheEndAndThePluginIsDestroyed() async throws {
        let node = try TestNode()
        try await node.install("test")
        try await node.install("other")
        let hosts = try await node.withPlugins { plugins in
            let status = await plugins.list()
            #expect(status.count == 2 && status.allSatisfy { $0.state == .ready })
            return status.compactMap(\.processID)
        }
        #expect(hosts.count == 2)
        for host in hosts { #expect(kill(host, 0) == -1 && errno == ESRCH) }
        for name in ["test", "other"] {
            #expect(FileManager.default.fileExists(atPath: node.stateFile("destroyed", of: name)))
        }
    }

    @Test func aCallInFlightIsCancelledWhenTheDaemonEnds() async throws {
        let node = try TestNode { $0.limits.grace = .seconds(10) }
        let call = try await node.withPlugin { plugin in
            let call = Task { try await plugin.call("WAIT") }
            try await eventually("the plugin waits") {
                FileManager.default.fileExists(atPath: node.stateFile("waiting"))
            }
            return call
        }
        let error = await #expect(throws: CarpelError.self) { try await call.value }
        #expect(error?.code == .unavailable, "\(String(describing: error))")
        #expect(FileManager.default.fileExists(atPath: node.stateFile("told")))
        #expect(FileManager.default.fileExists(atPath: node.stateFile("destroyed")))
    }

    @Test func whatAPluginHasStartedEndsWithItsHost() async throws {
        try await TestNode().withPlugin(manifest: ["seccomp": "storage"]) { plugin in
            guard case .integer(let child)? = try await plugin.members("LEAVE_CHILD")["pid"] else {
                throw SupportError("no pid")
            }
            #expect(kill(pid_t(child), 0) == 0)
            _ = try await plugin.refusal("EXIT")
            try await eventually("the child is gone") { hasEnded(pid_t(child)) }
        }
    }

    /// The daemon's end of the socket is all that ties the two together.
    private func withHost(_ body: (TestNode, HostProcess) async throws -> Void) async throws {
        let node = try TestNode { $0.limits.grace = .seconds(600) }
        try await node.install()
        let manifest = try PluginManifest(folder: "\(node.folder.path)/plugins/test")
        let launch = HostLaunch(manifest: manifest, hosting: node.hosting, logger: node.log.logger)
        try await body(node, try await HostProcess.start(launch))
    }

    @Test func aHostEndsWhenTheDaemonDies() async throws {
        try await withHost { node, host in
            host.loseConnection()
            let end = await host.end()
            #expect(end.isOrderly, "\(end)")
            #expect(FileManager.default.fileExists(atPath: node.stateFile("destroyed")))
        }
    }

    @Test func aHostWhosePluginHangsEndsSoonAfterTheDaemon() async throws {
        try await withHost { node, host in
            let call = Task { try await host.call("HANG", .json(Data("{}".utf8)), timeout: .seconds(600)) }
            try await eventually("the call hangs") { FileManager.default.fileExists(atPath: node.stateFile("hanging")) }
            host.loseConnection()
            let end = await host.end()
            #expect(end.description.contains("exit code 75"), "\(end)")
            await #expect(throws: CarpelError.self) { try await call.value }
        }
    }

    @Test func standardOutputAndErrorAreLinesOfTheLog() async throws {
        let node = try TestNode()
        try await node.withPlugin { plugin in
            try await plugin.call("LOG", #"{"lines":3}"#)
            try await eventually("the lines are there") { node.log.entries.contains { $0.message.hasSuffix("…") } }
            let lines = node.log.entries.filter { $0.metadata["plugin"] == "test" }.map(\.message)
            #expect(lines.contains("line 2"))
            #expect(lines.contains("\u{FFFD}[31mred"))
            #expect(lines.contains { $0.hasPrefix("yyy") && $0.utf8.count == 8192 + 3 })
        }
    }

    @Test func aPluginThatWritesTooMuchLosesLinesAndTheLogSaysSo() async throws {
        let node = try TestNode()
        try await node.withPlugin { plugin in
            try await plugin.call("LOG", #"{"lines":5000}"#)
            try await plugin.call("PING")
        }
        try await eventually("the log counts what it left out") {
            node.log.entries.contains { $0.message.contains("left lines out") }
        }
        let lines = node.log.entries.filter { $0.message.hasPrefix("line ") }
        #expect(lines.count <= 300 && lines.count >= 50)
    }

    @Test func aPluginThatEatsTooMuchDiesAndTheCauseIsItsLimit() async throws {
        let node = try TestNode { $0.limits.memory = .mebibytes(64) }
        try await node.withPlugin { plugin in
            let missing = try await plugin.status.limitsMissing
            try #require(missing.isEmpty, "this node has no control groups")
            #expect(try await plugin.members("EAT", #"{"mebibytes":16}"#) == ["first": .integer(1)])
            let error = try await plugin.refusal("EAT", #"{"mebibytes":200}"#)
            #expect(error.reason == "pluginDied" && error.message.contains("memory limit"), "\(error)")
            try await plugin.call("PING")
        }
    }
}

func hasEnded(_ process: pid_t) -> Bool {
    guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { return true }
    // What nobody has waited for yet counts.
    return text.split(separator: ") ").last?.hasPrefix("Z") ?? true
}
