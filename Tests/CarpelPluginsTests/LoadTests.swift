import CarpelCore
import Foundation
import TestSupport
import Testing

@testable import CarpelPlugins

/// Plugins that cannot be loaded: each is told as data, and none keeps another from working.
@Suite struct LoadTests {
    private func cause(
        defines: [String] = [], manifest: [String: Any] = [:], _ change: (inout PluginHosting) -> Void = { _ in }
    ) async throws -> CarpelError {
        let node = try TestNode(change)
        try await node.install(defines: defines, manifest: manifest)
        return try await node.withPlugins { plugins in
            let status = try #require(await plugins.list().first)
            guard case .failed(let cause) = status.state else { throw SupportError("\(status.state)") }
            #expect(status.name == "test" && status.processID == nil)
            let error = await #expect(throws: CarpelError.self) { try await plugins.network("test").status() }
            #expect(error?.code == .unavailable && error?.reason == "pluginFailed")
            return cause
        }
    }

    @Test(arguments: [
        (["NO_SYMBOL"], "symbolMissing", "carpel_plugin"), (["NO_TABLE"], "tableMissing", "NULL"),
        (["ABI_VERSION=2"], "abiTooNew", "version 2"), (["ABI_VERSION=0"], "abiTooOld", "version 0"),
        (["TABLE_SIZE=16"], "tableTooSmall", "16 bytes"), (["NO_CALL"], "functionMissing", "call"),
        (["UNRESOLVED"], "libraryNotLoadable", "carpel_no_such_function"),
        (["CREATE_SAYS_NOTHING"], "createFailed", "NULL"),
        (["CREATE_FAILS=\"INVALID_ARGUMENT\""], "poolMissing", "no pool at\n/nowhere"),
    ])
    func aLibraryThatDoesNotFitSaysWhatIsWrong(_ defines: [String], _ reason: String, _ words: String) async throws {
        let cause = try await cause(defines: defines)
        #expect(cause.reason == reason && cause.message.contains(words), "\(cause)")
    }

    @Test func aLibraryThatIsMissingOrNoneIsNamed() async throws {
        let missing = try await cause(manifest: ["library": "libNone.so"])
        #expect(missing.reason == "libraryMissing" && missing.message.contains("libNone.so"), "\(missing)")
        let text = try await cause(manifest: ["library": "plugin.json"])
        #expect(text.reason == "libraryNotLoadable" && text.message.contains("plugin.json"), "\(text)")
    }

    @Test func aLibraryOfAnotherVersionThanItsManifestIsRefused() async throws {
        let cause = try await cause(manifest: ["api": ["minimum": 2, "maximum": 3]])
        #expect(cause.reason == "apiIncompatible" && cause.message.contains("2 to 3"), "\(cause)")
    }

    @Test func aConfigurationThatDoesNotFitTheSchemaNamesItsMember() async throws {
        let schema: [String: Any] = [
            "type": "object", "properties": ["mtu": ["type": "integer", "minimum": 68]],
        ]
        let cause = try await cause(manifest: ["configurationSchema": schema]) {
            $0.configurations = ["test": .object(["mtu": .integer(5)])]
        }
        #expect(cause.reason == "pluginConfigurationInvalid" && cause.field == "mtu", "\(cause)")
        #expect(cause.message.contains("mtu must be at least 68, not 5"))
    }

    @Test func aHostOrAccountThatIsMissingIsNamed() async throws {
        let host = try await cause { $0.hostExecutable = "/nowhere/carpel-plugin-host" }
        #expect(host.reason == "pluginHostMissing" && host.message.contains("/nowhere"), "\(host)")
        let account = try await cause { $0.account = "carpel-nobody-has-this" }
        #expect(account.reason == "pluginUserMissing" && account.message.contains("useradd"), "\(account)")
        let root = try await cause { $0.account = "root" }
        #expect(root.reason == "pluginUserIsRoot")
        let none = try await cause { $0.account = nil }
        #expect(none.reason == "confinementMissing")
    }

    @Test func aPluginWhoseOwnStartFailsForNowIsTriedAgain() async throws {
        let node = try TestNode { $0.limits.backoff = .seconds(600) }
        try await node.install(defines: ["CREATE_FAILS=\"UNAVAILABLE\""])
        try await node.withPlugins { plugins in
            try await eventually("the plugin is backing off") {
                guard case .backingOff(_, let cause) = await plugins.list().first?.state else { return false }
                return cause.reason == "poolMissing"
            }
            // What was missing is there now.
            try await node.install()
            #expect(try await plugins.reload("test").state == .ready)
            try await plugins.network("test").status()
        }
    }

    @Test func brokenFoldersAndDuplicatesAreListedAndHarmNoOther() async throws {
        let node = try TestNode()
        try await node.install("b")
        try await node.install("a", manifest: ["name": "b", "version": "2.0.0"])
        try FileManager.default.createDirectory(
            atPath: "\(node.folder.path)/plugins/empty", withIntermediateDirectories: true)
        _ = try node.folder.file("plugins/broken/plugin.json", "{\n  \"name\": \n}")
        _ = try node.folder.file("plugins/README", "")
        try await node.withPlugins { plugins in
            let list = await plugins.list()
            #expect(list.map(\.name) == ["b", "b", "broken", "empty"])
            #expect(list[0].state == .ready && list[0].version == "2.0.0")
            let causes = list.dropFirst().map { status -> CarpelError? in
                if case .failed(let cause) = status.state { cause } else { nil }
            }
            #expect(causes.map { $0?.reason } == ["pluginDuplicate", "manifestInvalid", "manifestMissing"])
            #expect(causes[0]?.message.contains("plugins/a") == true)
            #expect(causes[1]?.message.contains("line 3") == true)
            try await plugins.network("b").status()
        }
    }

    @Test func ofTwoFoldersTheEarlierServes() async throws {
        let node = try TestNode { $0.folders = ["\($0.folders[0])-first"] + $0.folders + ["/nowhere/at/all"] }
        try await node.install("test")
        try FileManager.default.moveItem(
            atPath: "\(node.folder.path)/plugins", toPath: "\(node.folder.path)/plugins-first")
        try await node.install("test", manifest: ["version": "3.0.0"])
        try await node.withPlugins { plugins in
            let list = await plugins.list()
            #expect(list.map(\.version) == ["1.0.0", "3.0.0"])
            #expect(list[0].state == .ready && list[0].path.contains("plugins-first"))
        }
    }

    @Test func aNameOfAnotherKindOrNoneIsRefused() async throws {
        let node = try TestNode()
        try await node.install("disk", manifest: ["kind": "storage"])
        try await node.withPlugins { plugins in
            let kind = await #expect(throws: CarpelError.self) { try await plugins.network("disk") }
            #expect(kind?.reason == "pluginKindWrong")
            let name = await #expect(throws: CarpelError.self) { try await plugins.storage("dsk") }
            #expect(name?.code == .notFound && name?.reason == "pluginNotFound")
        }
    }
}
