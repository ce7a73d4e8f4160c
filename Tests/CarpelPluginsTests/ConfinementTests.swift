import CarpelCore
import Foundation
import Glibc
import TestSupport
import Testing

@testable import CarpelPlugins

/// What the kernel says about a plugin's process.
@Suite struct ConfinementTests {
    /// - Parameter number: the errno that the attempt must end with.
    private func expect(_ number: Int32, from attempt: String, in plugin: TestPlugin) async throws {
        let result = try await plugin.members("TRY", #"{"what":"\#(attempt)"}"#)["errno"]
        #expect(result == .integer(Int64(number)), "\(attempt)")
    }

    @Test func aPluginIsAnUnprivilegedUserWithTheManifestsCapabilitiesAlone() async throws {
        let account = try SystemAccount(named: "carpel-plugin")
        try await TestNode().withPlugin(manifest: ["capabilities": ["CAP_NET_ADMIN", "CAP_NET_RAW"]]) { plugin in
            let status = try await plugin.members("CONFINEMENT")
            let user = Array(repeating: "\(account.user)", count: 4).joined(separator: " ")
            let group = Array(repeating: "\(account.group)", count: 4).joined(separator: " ")
            #expect(status["Uid"] == .string(user) && status["Gid"] == .string(group))
            #expect(status["Groups"] == .string("4242 "))
            for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
                #expect(status[set] == .string("0000000000003000"), "\(set)")
            }
            #expect(status["NoNewPrivs"] == .string("1") && status["Seccomp"] == .string("2"))
        }
    }

    @Test func aPluginThatNamesNoCapabilityHasNone() async throws {
        try await TestNode().withPlugin { plugin in
            let status = try await plugin.members("CONFINEMENT")
            for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
                #expect(status[set] == .string("0000000000000000"), "\(set)")
            }
        }
    }

    @Test(arguments: ["network", "storage", "strict"])
    func noProfileAllowsWaysOut(_ profile: String) async throws {
        let manifest: [String: Any] = [
            "seccomp": profile, "capabilities": ["CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_PTRACE"],
        ]
        try await TestNode().withPlugin(manifest: manifest) { plugin in
            for what in ["ptrace", "keyctl", "reboot", "socket-alg"] {
                try await expect(EPERM, from: what, in: plugin)
            }
        }
    }

    @Test func aNetworkPluginMayUseSocketsNamespacesMountsAndPrograms() async throws {
        try await TestNode().withPlugin(manifest: ["capabilities": ["CAP_SYS_ADMIN"]]) { plugin in
            for what in ["socket-inet", "socket-netlink", "exec", "kill-0", "fallocate", "unshare"] {
                try await expect(0, from: what, in: plugin)
            }
            // It reaches the kernel, which knows no such folder.
            try await expect(ENOENT, from: "mount", in: plugin)
        }
    }

    @Test func aStoragePluginMayUseFilesAndProgramsButNoNamespacesNorMounts() async throws {
        let manifest: [String: Any] = ["kind": "network", "seccomp": "storage", "capabilities": ["CAP_SYS_ADMIN"]]
        try await TestNode().withPlugin(manifest: manifest) { plugin in
            for what in ["exec", "fallocate", "socket-inet", "kill-0"] {
                try await expect(0, from: what, in: plugin)
            }
            for what in ["unshare", "mount", "socket-netlink"] {
                try await expect(EPERM, from: what, in: plugin)
            }
        }
    }

    @Test func aStrictPluginHasItsFilesAndNoPrograms() async throws {
        try await TestNode().withPlugin(manifest: ["seccomp": "strict"]) { plugin in
            try await expect(0, from: "fallocate", in: plugin)
            for what in ["exec", "socket-inet", "socket-netlink", "kill-0", "mount", "unshare"] {
                try await expect(EPERM, from: what, in: plugin)
            }
        }
    }

    @Test func aProfileOfTheFoldersOwnIsUsed() async throws {
        let node = try TestNode()
        let folder = try await node.install(manifest: ["seccomp": "profile.json"])
        let profile =
            #"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["keyctl"],"action":"SCMP_ACT_ERRNO","errnoRet":99}]}"#
        try profile.write(toFile: "\(folder)/profile.json", atomically: false, encoding: .utf8)
        try await node.withPlugins { plugins in
            let plugin = TestPlugin(plugins: plugins, calls: try await plugins.network("test").plugin)
            try await expect(99, from: "keyctl", in: plugin)
            #expect(try await plugin.status.seccomp == "\(folder)/profile.json")
        }
    }

    @Test func aProfileThatIsMissingOrWrongKeepsThePluginFromStarting() async throws {
        let node = try TestNode()
        let folder = try await node.install(manifest: ["seccomp": "profile.json"])
        try await node.withPlugins { plugins in
            guard case .failed(let missing) = await plugins.list().first?.state else {
                throw SupportError("not failed")
            }
            #expect(missing.reason == "seccompProfileNotFound" && missing.field == "seccomp")
            try "{}".write(toFile: "\(folder)/profile.json", atomically: false, encoding: .utf8)
            let wrong = await #expect(throws: CarpelError.self) { try await plugins.reload("test") }
            #expect(wrong?.reason == "seccompProfileInvalid", "\(String(describing: wrong))")
        }
    }

    @Test func theStateFolderIsThePluginsAndClosedToOthers() async throws {
        let node = try TestNode()
        let account = try SystemAccount(named: "carpel-plugin")
        try await node.withPlugin { _ in
            var status = stat()
            #expect(stat(node.stateFile(""), &status) == 0)
            #expect(status.st_uid == account.user && status.st_gid == account.group && status.st_mode & 0o7777 == 0o711)
        }
    }

    @Test func aHostIsInAGroupOfItsOwnThatGoesWithIt() async throws {
        let node = try TestNode { $0.limits.processes = 99 }
        let groups = try await node.withPlugin { plugin -> [String] in
            let status = try await plugin.status
            try #require(status.limitsMissing.isEmpty, "this node has no control groups")
            let process = try #require(status.processID)
            let groups = ControlGroupMount.all().map { "\($0.path)/carpel-plugins/test-\(process)" }
                .filter { FileManager.default.fileExists(atPath: $0) }
            #expect(!groups.isEmpty)
            let limits = groups.compactMap { try? String(contentsOfFile: "\($0)/pids.max", encoding: .utf8) }
            #expect(limits == ["99\n"])
            return groups
        }
        for group in groups { #expect(!FileManager.default.fileExists(atPath: group)) }
    }
}
