import CarpelCore
import Foundation
import Glibc
import Testing

@testable import CarpelImages

/// Names, removal, collection and what survives a restart.
@Suite struct ImageStoreTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func open() async throws -> ImageStore { try await ImageStore.test(scratch, testConfiguration()) }

    /// Imports `image` under `name`.
    private func add(_ image: TestImage, _ name: String?, to store: ImageStore) async throws -> Image {
        let layout = "\(scratch.path)/layout-\(UUID().uuidString)"
        try image.writeLayout(layout, name: nil)
        return try #require(try await store.importArchive(layout, name: name).first)
    }

    @Test func imagesAreFoundByEveryName() async throws {
        let store = try await open()
        let image = try await add(try await .small(), "team/app:1.0", to: store)
        let hex = image.id.dropFirst(7)
        for name in ["team/app:1.0", "docker.io/team/app:1.0", image.id, String(hex), String(hex.prefix(12))] {
            #expect(try await store.image(name)?.id == image.id, "\(name)")
        }
        for name in ["team/app", "other", String(hex.prefix(2))] {
            #expect(try await store.image(name) == nil, "\(name)")
        }
        let error = await failure { try await store.image("No Name") }
        #expect(error?.code == .invalidArgument && error?.reason == "invalidReference")
    }

    @Test func namesAndDisksSurviveARestart() async throws {
        let image = try await add(try await .small(), "app:1.0", to: try await open())
        _ = try scratch.write("images/staging/left", [1])
        let store = try await open()
        #expect(try await store.list() == [image])
        #expect(try scratch.files("images/staging").isEmpty)
        #expect(try await store.layerDisks(of: image).count == 1)
    }

    @Test func lostDisksAreMadeAgain() async throws {
        let store = try await open()
        let image = try await add(try await .small(), "app:1.0", to: store)
        let first = try await store.layerDisks(of: image)
        let bytes = try Data(contentsOf: URL(filePath: first[0].path))
        try FileManager.default.removeItem(atPath: first[0].path)
        #expect(try await store.layerDisks(of: image) == first)
        #expect(try Data(contentsOf: URL(filePath: first[0].path)) == bytes)
    }

    @Test func lastTagTakesTheImageAndEarlierOnesOnlyThemselves() async throws {
        let store = try await open()
        let content = try await TestImage.small()
        let image = try await add(content, "app:1.0", to: store)
        _ = try await add(content, "app:2.0", to: store)
        #expect(try await store.image(image.id)?.repoTags.count == 2)

        try await store.remove("app:1.0", inUse: [])
        #expect(try await store.image(image.id)?.repoTags == ["docker.io/library/app:2.0"])
        try await store.remove("app:1.0", inUse: [])
        try await store.remove("app:2.0", inUse: [])
        #expect(try await store.list().isEmpty)
        #expect(try scratch.files("images/blobs").isEmpty && scratch.files("images/disks").isEmpty)
        try await store.remove("app:2.0", inUse: [])
    }

    @Test func idTakesAllNamesAndSharedLayersStay() async throws {
        let store = try await open()
        var tar = TarBuilder()
        tar.file("shared", "x")
        var own = TarBuilder()
        own.file("own", "y")
        let small = try await TestImage([tar])
        let large = try await TestImage([tar, own])
        let kept = try await add(small, "small", to: store)
        let gone = try await add(large, "large:1", to: store)
        _ = try await add(large, "large:2", to: store)

        try await store.remove(gone.id, inUse: [])
        #expect(try await store.list() == [kept])
        #expect(try scratch.files("images/disks") == ["\(small.diffIDs[0].hex).erofs"])
        #expect(try scratch.files("images/blobs/sha256").count == 3)
    }

    @Test func disksInUseStayUntilTheyAreNot() async throws {
        let store = try await open()
        let image = try await add(try await .small(), "app", to: store)
        let used = Set(image.layers.map(\.diffID))
        try await store.remove(image.id, inUse: used)
        #expect(try await store.list().isEmpty)
        #expect(try scratch.files("images/disks").count == 1)
        #expect(try scratch.files("images/blobs").isEmpty)
        try await store.collectGarbage(inUse: used)
        #expect(try scratch.files("images/disks").count == 1)
        try await store.collectGarbage(inUse: [])
        #expect(try scratch.files("images/disks").isEmpty)
        let error = await failure { try await store.remove(image.id, inUse: ["nonsense"]) }
        #expect(error?.code == .invalidArgument)
    }

    @Test func unreadableIndexIsSetAsideAndStopsCollection() async throws {
        let image = try await add(try await .small(), "app", to: try await open())
        let index = "\(scratch.path)/images/index.json"
        let good = try Data(contentsOf: URL(filePath: index))
        try Data("{\"manifests\":".utf8).write(to: URL(filePath: index))
        let store = try await open()
        #expect(try await store.list().isEmpty)
        let aside = try await store.setAside()
        #expect(aside.count == 1)
        #expect(try Data(contentsOf: URL(filePath: aside[0])) == Data("{\"manifests\":".utf8))
        try await store.remove(image.id, inUse: [])
        try await store.collectGarbage(inUse: [])
        #expect(try scratch.files("images/blobs/sha256").count == 3)
        #expect(try scratch.files("images/disks").count == 1)

        // Repaired by hand.
        try FileManager.default.removeItem(atPath: aside[0])
        try good.write(to: URL(filePath: index))
        #expect(try await open().list() == [image])
    }

    @Test func damagedManifestStopsCollection() async throws {
        let store = try await open()
        let content = try await TestImage.small("a")
        _ = try await add(content, "bad", to: store)
        _ = try await add(try await .small("b"), "good", to: store)
        try Data("{}".utf8).write(
            to: URL(filePath: "\(scratch.path)/images/blobs/sha256/\(content.manifest.digest.hex)"))
        let next = try await open()
        #expect(try await next.list().map(\.repoTags) == [["docker.io/library/good:latest"]])
        try await next.remove("good", inUse: [])
        #expect(try await next.list().isEmpty)
        #expect(try scratch.files("images/disks").count == 2)
    }

    @Test func foreignFilesAreNotCollected() async throws {
        let store = try await open()
        for name in ["images/disks/notes.txt", "images/disks/x.erofs", "images/blobs/sha256/README"] {
            _ = try scratch.write(name, [1])
        }
        try await store.collectGarbage(inUse: [])
        #expect(try scratch.files("images/disks") == ["notes.txt", "x.erofs"])
        #expect(try scratch.files("images/blobs") == ["sha256/README"])
    }

    @Test func usageCountsWhatIsThere() async throws {
        let store = try await open()
        let before = try await store.usage()
        _ = try await add(try await .large(1 << 20), "app", to: store)
        let after = try await store.usage()
        #expect(after.used.bytes - before.used.bytes > 2 << 20)
        #expect(after.inodes - before.inodes == 5)
        #expect("\(scratch.path)/".hasPrefix(after.mountpoint))
    }

    @Test func unprivilegedReaderOpensDisksAndNothingElse() async throws {
        let store = try await open()
        let disk = try await store.layerDisks(of: try await add(try await .small(), "app", to: store))[0].path
        try await run("/usr/sbin/runuser", ["-u", "nobody", "--", "/usr/bin/head", "-c", "8", disk])
        let list = "! /bin/ls \(scratch.path)/images/blobs/sha256 2>/dev/null"
        try await run("/usr/sbin/runuser", ["-u", "nobody", "--", "/bin/sh", "-c", list])
    }
}
