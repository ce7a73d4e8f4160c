import CarpelCore
import Foundation
import Testing

@testable import CarpelImages

/// Archives in and out, checked against skopeo.
@Suite struct TransferTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func store(_ name: String = "images") async throws -> ImageStore {
        try await ImageStore(
            root: "\(scratch.path)/\(name)", configuration: testConfiguration(),
            logger: .init(label: "test"))
    }

    private func layout(_ image: TestImage, name: String? = "docker.io/team/app:1.0") throws -> String {
        let path = "\(scratch.path)/layout"
        try image.writeLayout(path, name: name)
        return path
    }

    private func skopeo(_ arguments: String...) async throws {
        try await run("/usr/bin/skopeo", ["copy", "--quiet", "--tmpdir", scratch.path] + arguments)
    }

    @Test func layoutDirectoriesAndArchivesGiveTheSameImage() async throws {
        let content = try await TestImage.small()
        let path = try layout(content)
        let tar = "\(scratch.path)/oci.tar"
        try await run("/bin/tar", ["-czf", tar, "-C", path, "."])
        let fromDirectory = try await store("one").importArchive(path, name: nil)
        let fromTar = try await store("two").importArchive(tar, name: nil)
        #expect(fromDirectory.map(\.id) == [content.configDigest.description])
        #expect(fromDirectory == fromTar)
        #expect(fromTar[0].repoTags == ["docker.io/team/app:1.0"])
    }

    @Test func dockerArchivesOfSkopeoAreRead() async throws {
        let content = try await TestImage.small()
        let archive = "\(scratch.path)/docker.tar"
        try await skopeo("oci:\(try layout(content, name: "x")):x", "docker-archive:\(archive):team/app:1.0")
        let store = try await store()
        let images = try await store.importArchive(archive, name: nil)
        #expect(images.map(\.repoTags) == [["docker.io/team/app:1.0"]])
        #expect(images[0].layers.map(\.diffID) == content.diffIDs.map(\.description))
        let disk = try await MountedDisk(try await store.layerDisks(of: images[0])[0].path)
        #expect(try disk.text("hello") == "world")
        #expect(try scratch.files("images/staging").isEmpty)
    }

    /// Old versions of Docker save a layer that occurs twice as a link.
    @Test func dockerArchivesWithLinkedLayersAreRead() async throws {
        var layer = TarBuilder()
        layer.file("hello", "world")
        let id = Digest(of: layer.finished)
        let config = """
            {"architecture":"\(Platform.node.architecture)","os":"linux",\
            "rootfs":{"type":"layers","diff_ids":["\(id)","\(id)"]}}
            """
        var tar = TarBuilder()
        tar.add("a/layer.tar", .file, layer.finished)
        tar.add("b/layer.tar", .symbolicLink, link: "../a/layer.tar")
        tar.file("config.json", config)
        tar.file(
            "manifest.json",
            """
            [{"Config":"config.json","RepoTags":null,"Layers":["a/layer.tar","b/layer.tar"]}]
            """)
        let store = try await store()
        let image = try #require(
            try await store.importArchive(try scratch.write("old.tar", tar.finished), name: nil).first)
        #expect(image.repoTags.isEmpty && image.layers.count == 2)
        #expect(image.id == Digest(of: Array(config.utf8)).description)
        #expect(try await store.image(image.id) == image)
        // Overlayfs would refuse it twice.
        #expect(try await store.layerDisks(of: image).map(\.diffID) == [id.description])
        try await store.remove(image.id, inUse: [])
        #expect(try await store.list().isEmpty)
    }

    @Test func exportedArchiveIsReadByOthersAndBack() async throws {
        let content = try await TestImage.small()
        let first = try await store("one")
        let image = try #require(try await first.importArchive(try layout(content), name: nil).first)
        let archive = "\(scratch.path)/out.tar"
        try await first.export("team/app:1.0", to: archive)
        try await skopeo("oci-archive:\(archive)", "dir:\(scratch.path)/dir")
        #expect(try await store("two").importArchive(archive, name: nil) == [image])

        try await first.export(image.id, to: "\(scratch.path)/out", as: .ociLayout)
        try await skopeo("oci:\(scratch.path)/out", "dir:\(scratch.path)/dir2")
        #expect(try await store("three").importArchive("\(scratch.path)/out", name: "new:name")[0].id == image.id)

        let again = await failure { try await first.export(image.id, to: archive) }
        #expect(again?.code == .alreadyExists)
        let missing = await failure { try await first.export("nothing", to: "\(scratch.path)/x") }
        #expect(missing?.code == .notFound)
        #expect(try scratch.files(".").allSatisfy { !$0.contains(".partial") })
    }

    @Test func severalImagesKeepTheirNames() async throws {
        let one = try await TestImage.small("one")
        let two = try await TestImage.small("two")
        let path = try layout(one, name: "a:1")
        try two.writeLayout(path, name: "b:1")
        var index = ImageIndex()
        index.manifests = [NameIndex.entry(one.target, name: "a:1"), NameIndex.entry(two.target, name: "b:1")]
        try Data(try JSONEncoder.stable(index)).write(to: URL(filePath: "\(path)/index.json"))
        let store = try await store()
        #expect(
            try await store.importArchive(path, name: nil).flatMap(\.repoTags).sorted()
                == ["docker.io/library/a:1", "docker.io/library/b:1"])
        let error = await failure { try await store.importArchive(path, name: "c:1") }
        #expect(error?.reason == "severalImages")
    }

    @Test func lyingArchivesLeaveNothingBehind() async throws {
        let content = try await TestImage.small()
        let path = try layout(content)
        let layer = "\(path)/blobs/sha256/\(content.layers[0].digest.hex)"
        try Data(repeating: 0, count: Int(content.layers[0].size)).write(to: URL(filePath: layer))
        let store = try await store()
        let lie = await failure { try await store.importArchive(path, name: nil) }
        #expect(lie?.code == .dataLoss && lie?.reason == "digestMismatch")
        try FileManager.default.removeItem(atPath: layer)
        let missing = await failure { try await store.importArchive(path, name: nil) }
        #expect(missing?.code == .dataLoss && missing?.reason == "contentMissing")
        let nothing = await failure {
            try await store.importArchive(try scratch.write("x.tar", TarBuilder().finished), name: nil)
        }
        #expect(nothing?.code == .invalidArgument && nothing?.reason == "notAnImage")
        #expect(try await store.list().isEmpty)
        for folder in ["blobs", "disks", "staging", "ingest"] {
            #expect(try scratch.files("images/\(folder)").isEmpty, "\(folder)")
        }
    }

    @Test func archiveNamesNeverReachTheHost() async throws {
        var tar = TarBuilder()
        tar.file("../../../../../../var/tmp/carpel-escape", "x")
        tar.add("index.json", .symbolicLink, link: "/etc/passwd")
        let path = try scratch.write("evil.tar", tar.finished)
        let store = try await store()
        let error = await failure { try await store.importArchive(path, name: nil) }
        #expect(error?.reason == "notAnImage")
        #expect(!FileManager.default.fileExists(atPath: "/var/tmp/carpel-escape"))
    }
}
