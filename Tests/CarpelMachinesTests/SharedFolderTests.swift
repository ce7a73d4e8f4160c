import CarpelCore
import Foundation
import Glibc
import TestSupport
import Testing

@testable import CarpelMachines

/// The folder on the host, without a machine.
@Suite(.enabled(if: geteuid() == 0, "mounts are root's"))
struct SharedFolderTests {
    private let temporary: TemporaryFolder
    private let host: String
    private let folder: SharedFolder

    init() async throws {
        temporary = try TemporaryFolder()
        host = "\(temporary.path)/host"
        folder = SharedFolder("\(temporary.path)/shared")
        try await shell("mkdir \"$1\" && echo content > \"$1/file\"", host)
        try folder.make()
    }

    private func end() async throws {
        try folder.remove()
        let left = try MountTable().entries.map(\.target).filter { $0.hasPrefix("\(folder.path)") }
        #expect(left == [])
        #expect(try FileManager.default.contentsOfDirectory(atPath: temporary.path) == ["host"])
        // What the host has mounted itself.
        try await shell("umount -R \"$1\"/* 2>/dev/null; true", host)
    }

    private func read(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }
    private func canWrite(_ path: String) -> Bool {
        (try? "x".write(toFile: path, atomically: false, encoding: .utf8)) != nil
    }

    @Test func foldersAndFilesAppearUntilTheyAreTakenAway() async throws {
        #expect(try folder.bind(host, as: "all", readOnly: false) == "all/content")
        let file = try folder.bind("\(host)/file", as: "one", readOnly: true)
        #expect(folder.names() == ["all", "one"])
        #expect(read("\(folder.path)/all/content/file") == "content\n")
        #expect(read("\(folder.path)/\(file)") == "content\n")
        #expect(canWrite("\(folder.path)/all/content/new") && read("\(host)/new") == "x")
        #expect(!canWrite("\(folder.path)/\(file)"))
        // A guest must not be able to fill the host's /run.
        #expect(!canWrite("\(folder.path)/mine") && !canWrite("\(folder.path)/one/mine"))
        for _ in 0..<2 { try folder.unbind("all") }
        #expect(folder.names() == ["one"])
        #expect(read("\(host)/file") == "content\n")
        try folder.make()
        #expect(read("\(folder.path)/\(file)") == "content\n")
        try await end()
        try folder.remove()
    }

    @Test func bindingTwiceIsFineUnlessItIsSomethingElse() async throws {
        for _ in 0..<2 {
            #expect(try folder.bind(host, as: "a", readOnly: false) == "a/content")
            #expect(try folder.bind("\(host)/file", as: "b", readOnly: false) == "b/content")
        }
        #expect(try MountTable().entries.filter { $0.target.hasPrefix("\(folder.path)/") }.count == 4)
        await expectError("sharedNameInUse") { try folder.bind("/tmp", as: "a", readOnly: false) }
        await expectError("sharedNameInUse") { try folder.bind("\(host)/file", as: "a", readOnly: false) }
        try await end()
    }

    @Test func whatIsTheSameIsBoundOnceUnlessItIsSeenOtherwise() async throws {
        try await shell("cd \"$1\" && ln -s . link && mkdir below", host)
        let place = try folder.bind(host, readOnly: false)
        #expect(try folder.bind("\(host)/link", readOnly: false) == place)
        let others = [
            try folder.bind(host, readOnly: true), try folder.bind(host, readOnly: true, recursivelyReadOnly: true),
            try folder.bind(host, readOnly: false, followsHost: true), try folder.bind("\(host)/file", readOnly: false),
        ]
        #expect(Set(others + [place]).count == 5 && folder.names().count == 5)
        // A container that comes later sees what the host has mounted meanwhile.
        try await shell("mount -t tmpfs t \"$1/below\" && echo late > \"$1/below/file\"", host)
        let later = try folder.bind(host, readOnly: false)
        #expect(later != place && read("\(folder.path)/\(later)/below/file") == "late\n")
        #expect(read("\(folder.path)/\(place)/below/file") == nil)
        // A guest may remember for a while what had a name.
        let name = try #require(place.split(separator: "/").first)
        try await shell("umount \"$1/below\"", host)
        try folder.unbind(String(name))
        #expect(try folder.bind(host, readOnly: false) != place)
        try await end()
    }

    @Test func whatADeadProcessLeftHalfDoneIsDoneAnew() async throws {
        try await shell("mkdir -p \"$1\"/a \"$1\"/b && touch \"$1\"/b/content", "\(folder.path).points")
        try await shell("mount --bind \"$1\" \"$1\"", "\(folder.path)/b")
        #expect(try folder.bind(host, as: "a", readOnly: false) == "a/content")
        #expect(try folder.bind("\(host)/file", as: "b", readOnly: false) == "b/content")
        #expect(read("\(folder.path)/b/content") == "content\n")
        try await end()
    }

    @Test func linksAreFollowedOnceAndOnlyFilesAndFoldersAreShared() async throws {
        try await shell("cd \"$1\" && ln -s file link && mkfifo pipe", host)
        let link = try folder.bind("\(host)/link", as: "link", readOnly: false)
        try await shell("cd \"$1\" && ln -sf /etc/passwd link", host)
        #expect(read("\(folder.path)/\(link)") == "content\n")
        await expectError("hostPathUnsuitable") { try folder.bind("\(host)/pipe", as: "pipe", readOnly: false) }
        await expectError("hostPathUnsuitable") { try folder.bind("/dev/null", as: "null", readOnly: false) }
        await expectError("hostPathMissing") { try folder.bind("\(host)/none", as: "none", readOnly: false) }
        for name in ["", "..", "a/b", "-x"] {
            await expectError("sharedName") { try folder.bind(host, as: name, readOnly: false) }
        }
        #expect(folder.names() == ["link"])
        try await end()
    }

    @Test func whatTheHostHasMountedBelowComesAlongAndStaysTheHosts() async throws {
        try await shell("mkdir \"$1/below\" && mount -t tmpfs t \"$1/below\" && mount --make-shared \"$1/below\"", host)
        try folder.bind(host, as: "top", readOnly: true)
        try folder.bind(host, as: "all", readOnly: true, recursivelyReadOnly: true)
        #expect(!canWrite("\(folder.path)/top/content/new") && canWrite("\(folder.path)/top/content/below/new"))
        #expect(!canWrite("\(folder.path)/all/content/new") && !canWrite("\(folder.path)/all/content/below/other"))
        try folder.unbind("top")
        try folder.unbind("all")
        // The host's own is still there: taking away a copy of a shared mount can take away all of them.
        #expect(read("\(host)/below/new") == "x")
        try await end()
    }

    @Test func mountsThatComeLaterFollowOnlyWhereTheyAreAskedFor() async throws {
        try await shell("mount --bind \"$1\" \"$1\" && mount --make-private \"$1\" && mount --make-shared \"$1\"", host)
        try folder.bind(host, as: "follows", readOnly: false, followsHost: true)
        try folder.bind(host, as: "stays", readOnly: false)
        try await shell("mkdir \"$1/late\" && mount -t tmpfs t \"$1/late\" && echo late > \"$1/late/file\"", host)
        #expect(read("\(folder.path)/follows/content/late/file") == "late\n")
        #expect(read("\(folder.path)/stays/content/late/file") == nil)
        try folder.unbind("follows")
        #expect(read("\(host)/late/file") == "late\n")
        try await end()
        try await shell("umount \"$1\"", host)
    }

    @Test func copiesOfTheFolderGetWhatIsBoundLater() async throws {
        let process = try ChildProcess(
            "/usr/bin/unshare",
            [
                "--mount", "--propagation", "slave", "sh", "-c",
                "touch \"$2/ready\"; until [ -e \"$1/late/content/file\" ]; do sleep 0.01; done; cat \"$1/late/content/file\"; "
                    + "touch \"$2/seen\"; while [ -e \"$1/late/content/file\" ]; do sleep 0.01; done; echo gone", "sh",
                folder.path, host,
            ], log: "\(host)/log")
        try await eventually("the copy is made") { FileManager.default.fileExists(atPath: "\(host)/ready") }
        try folder.bind(host, as: "late", readOnly: true)
        try await eventually("it is seen") { FileManager.default.fileExists(atPath: "\(host)/seen") }
        try folder.unbind("late")
        try await eventually("the process ends") { !process.isRunning }
        #expect(process.log == "content\ngone\n")
        try await end()
    }
}
