import CarpelCore
import Foundation
import Glibc
import Testing

@testable import CarpelImages

/// What a layer's tar becomes, seen by the kernel's EROFS and by erofs-utils.
@Suite struct LayerUnpackerTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test func filesKeepContentOwnerModeAndTime() async throws {
        var tar = TarBuilder()
        tar.add("etc/", .directory, mode: 0o750, uid: 7, gid: 8)
        tar.add("etc/motd", .file, Array("hello".utf8), mode: 0o640, uid: 1000, gid: 100)
        tar.add("bin/su", .file, Array(repeating: 0x41, count: 10_000), mode: 0o4755)
        tar.add("empty", .file, pax: [("mtime", Array("1600000000.25".utf8)), ("uid", Array("4000000000".utf8))])
        let disk = try await MountedDisk(try unpack(tar, in: scratch))

        #expect(try disk.text("etc/motd") == "hello")
        #expect(try disk.text("bin/su") == String(repeating: "A", count: 10_000))
        #expect(try disk.text("empty") == "")
        let empty = try #require(disk.status("empty"))
        #expect(empty.st_mtim.tv_sec == 1_600_000_000 && empty.st_mtim.tv_nsec == 250_000_000)
        #expect(empty.st_uid == 4_000_000_000)
        let motd = try #require(disk.status("etc/motd"))
        #expect(motd.st_uid == 1000 && motd.st_gid == 100)
        #expect(motd.st_mode == S_IFREG | 0o640)
        #expect(motd.st_mtim.tv_sec == 1_700_000_000)
        #expect(disk.status("bin/su")?.st_mode == S_IFREG | 0o4755)
        #expect(disk.status("etc")?.st_mode == S_IFDIR | 0o750)
        #expect(disk.status("etc")?.st_nlink == 2)
        #expect(disk.status("")?.st_nlink == 4)
        #expect(disk.status("bin")?.st_mode == S_IFDIR | 0o755)
    }

    /// umoci ends a layer with the content of the last file.
    @Test func paddingMayBeMissingAtTheEndButContentMayNot() async throws {
        var tar = TarBuilder()
        tar.file("a", "hello")
        let unpadded = Array(tar.bytes.prefix(512 + 5))
        let disk = try await MountedDisk(
            try unpack(tar, blob: unpadded, diffID: Digest(of: unpadded), in: scratch))
        #expect(try disk.text("a") == "hello")

        let cut = Array(unpadded.dropLast(2))
        let error = await failure { try unpack(tar, blob: cut, diffID: Digest(of: cut), in: scratch) }
        #expect(error?.code == .dataLoss && error?.reason == "unreadableArchive")
    }

    @Test func linksDevicesAndFifosAreKept() async throws {
        var tar = TarBuilder()
        tar.file("a", "same")
        tar.add("b", .hardLink, link: "a")
        tar.add("sub/c", .hardLink, link: "./a")
        tar.add("absolute", .symbolicLink, link: "/etc/shadow")
        tar.add("up", .symbolicLink, link: "../../..")
        tar.add("null", .characterDevice, mode: 0o666, device: (1, 3))
        tar.add("disk", .blockDevice, device: (259, 70_000))
        tar.add("pipe", .fifo)
        let disk = try await MountedDisk(try unpack(tar, in: scratch))

        #expect(try disk.text("sub/c") == "same")
        #expect(disk.status("a")?.st_nlink == 3)
        #expect(disk.status("a")?.st_ino == disk.status("sub/c")?.st_ino)
        let manager = FileManager.default
        #expect(try manager.destinationOfSymbolicLink(atPath: "\(disk.path)/absolute") == "/etc/shadow")
        #expect(try manager.destinationOfSymbolicLink(atPath: "\(disk.path)/up") == "../../..")
        #expect(disk.status("null")?.st_rdev == 0x103)
        #expect(disk.status("null")?.st_mode == S_IFCHR | 0o666)
        #expect(disk.status("disk")?.st_mode == S_IFBLK | 0o644)
        let encoded: dev_t = 70_000 & 0xFF | 259 << 8 | (70_000 & ~0xFF) << 12
        #expect(disk.status("disk")?.st_rdev == encoded)
        #expect(disk.status("pipe")?.st_mode == S_IFIFO | 0o644)
    }

    @Test func extendedAttributesAreKeptExceptOverlays() async throws {
        var tar = TarBuilder()
        let capability: [UInt8] = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        tar.add(
            "ping", .file, Array("x".utf8),
            pax: [
                ("SCHILY.xattr.security.capability", capability), ("SCHILY.xattr.user.note", Array("n".utf8)),
                ("SCHILY.xattr.trusted.overlay.redirect", Array("/etc".utf8)),
                ("SCHILY.xattr.user.large", Array(repeating: 7, count: 9000)),
            ])
        let disk = try await MountedDisk(try unpack(tar, in: scratch))

        #expect(disk.attribute("security.capability", of: "ping") == capability)
        #expect(disk.attribute("user.note", of: "ping") == Array("n".utf8))
        #expect(disk.attribute("user.large", of: "ping") == Array(repeating: 7, count: 9000))
        #expect(disk.attribute("trusted.overlay.redirect", of: "ping") == nil)
    }

    @Test func whiteoutsSpeakOverlayfs() async throws {
        var tar = TarBuilder()
        tar.add("dir/", .directory)
        tar.file("dir/.wh.gone", "")
        tar.file("opaque/.wh..wh..opq", "")
        tar.file("opaque/new", "new")
        tar.file(".wh.both", "")
        tar.file("both", "stays")
        tar.file(".wh.again", "")
        tar.add("again/", .directory)
        tar.file(".wh..wh.plnk", "")
        let disk = try await MountedDisk(try unpack(tar, in: scratch))

        let gone = try #require(disk.status("dir/gone"))
        #expect(gone.st_mode & S_IFMT == S_IFCHR && gone.st_rdev == 0)
        #expect(disk.attribute("trusted.overlay.opaque", of: "opaque") == Array("y".utf8))
        #expect(try disk.text("opaque/new") == "new")
        #expect(try disk.text("both") == "stays")
        #expect(disk.attribute("trusted.overlay.opaque", of: "again") == Array("y".utf8))
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: disk.path).sorted() == [
                "again", "both", "dir", "opaque",
            ])
    }

    /// libarchive composes decomposed names in a UTF-8 locale, and fails over others in "C".
    @Test(arguments: ["C", "C.UTF-8"]) func namesAreBytesWhateverTheLocale(name: String) async throws {
        var tar = TarBuilder()
        tar.file("plain-é", "1")
        tar.add("x", .file, Array("2".utf8), pax: [("path", Array("pax-日本".utf8))])
        tar.add("y", .file, Array("3".utf8), pax: [("path", Array("nfd-e\u{301}".utf8))])
        tar.add("z", .symbolicLink, link: "zu-", pax: [("path", Array("link".utf8)), ("linkpath", Array("zu-ü".utf8))])
        let long = String(repeating: "d/", count: 120) + "file"
        tar.add("w", .file, Array("4".utf8), pax: [("path", Array(long.utf8))])
        let path = try unpack(tar, in: scratch, locale: name)
        let disk = try await MountedDisk(path)

        #expect(try disk.text("plain-é") == "1")
        #expect(try disk.text("pax-日本") == "2")
        let names = try FileManager.default.contentsOfDirectory(atPath: disk.path)
        #expect(names.contains { $0.utf8.elementsEqual("nfd-e\u{301}".utf8) })
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "\(disk.path)/link") == "zu-ü")
        #expect(try disk.text(long) == "4")
    }

    @Test func directoriesOfAnySizeAreFound() async throws {
        var tar = TarBuilder()
        for number in 0..<3000 { tar.file("many/file-with-a-longer-name-\(number)", "\(number)") }
        for number in 0..<300 { tar.add("links/\(number)", .symbolicLink, link: String(repeating: "t", count: 100)) }
        let path = try unpack(tar, in: scratch)
        let disk = try await MountedDisk(path)

        for number in stride(from: 0, to: 3000, by: 7) {
            #expect(try disk.text("many/file-with-a-longer-name-\(number)") == "\(number)")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(disk.path)/many").count == 3000)
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(disk.path)/links").count == 300)
        try await run("/usr/bin/fsck.erofs", ["--extract=\(scratch.path)/out", path])
        #expect(try scratch.files("out/many").count == 3000)
    }

    @Test func laterEntriesReplaceEarlierOnes() async throws {
        var tar = TarBuilder()
        tar.file("f", "old")
        tar.file("f", "new")
        tar.add("d/", .directory, mode: 0o700)
        tar.file("d/in", "in")
        tar.add("./d", .directory, mode: 0o711)
        tar.file("e/in", "in")
        tar.file("e", "no directory now")
        tar.add("./", .directory, mode: 0o1777)
        let disk = try await MountedDisk(try unpack(tar, in: scratch))

        #expect(try disk.text("f") == "new")
        #expect(try disk.text("d/in") == "in")
        #expect(disk.status("d")?.st_mode == S_IFDIR | 0o711)
        #expect(try disk.text("e") == "no directory now")
        #expect(disk.status("")?.st_mode == S_IFDIR | 0o1777)
    }

    @Test func holesStayHoles() async throws {
        let size = 64 << 20
        let sparse = "\(scratch.path)/sparse"
        let file = try File(sparse, O_RDWR | O_CREAT)
        try Array("start".utf8).withUnsafeBytes { try file.write($0, at: 0) }
        try Array("end".utf8).withUnsafeBytes { try file.write($0, at: Int64(size) - 3) }
        let tar = "\(scratch.path)/sparse.tar"
        try await run("/bin/tar", ["--sparse", "--format=posix", "-cf", tar, "-C", scratch.path, "sparse"])
        let blob = Array(try Data(contentsOf: URL(filePath: tar)))
        let path = "\(scratch.path)/disk.erofs"
        try LayerUnpacker(limits: ImageLimits()) { _ in }.unpack(
            try File(tar, O_RDONLY), diffID: Digest(of: blob), to: try File(path, O_RDWR | O_CREAT))
        let disk = try await MountedDisk(path)

        let content = Array(try Data(contentsOf: URL(filePath: "\(disk.path)/sparse")))
        #expect(content.count == size)
        #expect(content.starts(with: Array("start".utf8)) && content.suffix(3).elementsEqual(Array("end".utf8)))
        var status = stat()
        try #require(stat(path, &status) == 0)
        #expect(status.st_blocks * 512 < 1 << 20)
        #expect(Int(status.st_size) % 512 == 0 && Int(status.st_size) >= size)
    }

    @Test(arguments: ["/usr/bin/gzip", "/usr/bin/zstd"]) func compressedLayersGiveTheSameDisk(tool: String) async throws
    {
        var tar = TarBuilder()
        for number in 0..<50 { tar.add("f\(number)", .file, Array(repeating: UInt8(number), count: 9000)) }
        let plain = try Data(contentsOf: URL(filePath: try unpack(tar, in: scratch)))
        let blob = try await run(tool, ["-c"], input: tar.finished)
        let compressed = try Data(contentsOf: URL(filePath: try unpack(tar, blob: blob, in: scratch)))
        #expect(plain == compressed)
        #expect(plain.count % 4096 == 0)
    }

    @Test func emptyLayerIsAnEmptyDisk() async throws {
        let disk = try await MountedDisk(try unpack(TarBuilder(), in: scratch))
        #expect(try FileManager.default.contentsOfDirectory(atPath: disk.path) == [])
    }

    @Test func realTreeOfGnuTarSurvives() async throws {
        let source = "/usr/share/perl5"
        let tar = try await run("/bin/tar", ["-c", "-C", source, "."])
        let path = "\(scratch.path)/disk.erofs"
        try LayerUnpacker(limits: ImageLimits()) { _ in }.unpack(
            try File(try scratch.write("tar", tar), O_RDONLY), diffID: Digest(of: tar),
            to: try File(path, O_RDWR | O_CREAT))
        let disk = try await MountedDisk(path)
        try await run("/usr/bin/diff", ["-r", "--no-dereference", source, disk.path])
        try await run("/usr/bin/fsck.erofs", [path])
    }
}
