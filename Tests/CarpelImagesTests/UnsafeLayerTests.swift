import CarpelCore
import Foundation
import Testing

@testable import CarpelImages

/// Layers that a hostile publisher might write.
@Suite struct UnsafeLayerTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func refusal(
        limits: ImageLimits = ImageLimits(), blob: [UInt8]? = nil, _ fill: (inout TarBuilder) -> Void
    ) async -> CarpelError? {
        var tar = TarBuilder()
        fill(&tar)
        return await failure { try unpack(tar, blob: blob, in: scratch, limits: limits) }
    }

    private func isUnsafe(_ fill: (inout TarBuilder) -> Void) async -> Bool {
        let error = await refusal(fill)
        return error?.code == .invalidArgument && error?.reason == "unsafeLayerEntry"
    }

    @Test(arguments: ["../evil", "a/../../evil", "/..", "a/..", "..", ".wh...", ".wh..", "a/.wh."])
    func pathsOutOfTheRootAreRefused(path: String) async {
        #expect(await isUnsafe { $0.file(path, "x") })
    }

    @Test(arguments: ["/etc", "..", "elsewhere", "/"]) func linksAreNeverParents(target: String) async {
        #expect(
            await isUnsafe {
                $0.add("link", .symbolicLink, link: target); $0.file("link/passwd", "x")
            })
        #expect(
            await isUnsafe {
                $0.add("a", .symbolicLink, link: target); $0.add("b", .hardLink, link: "a/x")
            })
        #expect(
            await isUnsafe {
                $0.add("a", .symbolicLink, link: target)
                $0.add("b", .hardLink, link: "a")
                $0.file("b/.wh.x", "")
            })
    }

    @Test func hardLinksNeedAFileOfTheLayer() async {
        #expect(await isUnsafe { $0.add("shadow", .hardLink, link: "/etc/shadow") })
        #expect(await isUnsafe { $0.add("shadow", .hardLink, link: "../etc/shadow") })
        #expect(
            await isUnsafe {
                $0.add("d/", .directory); $0.add("e", .hardLink, link: "d")
            })
    }

    @Test func absoluteNamesStayInTheRoot() async throws {
        var tar = TarBuilder()
        tar.file("/carpel-test-absolute", "x")
        let disk = try await MountedDisk(try unpack(tar, in: scratch))
        #expect(try disk.text("carpel-test-absolute") == "x")
        #expect(!FileManager.default.fileExists(atPath: "/carpel-test-absolute"))
    }

    @Test func rootMustBeADirectory() async {
        #expect(await isUnsafe { $0.add("./", .symbolicLink, link: "/etc") })
    }

    @Test func bombsEndEarly() async throws {
        var limits = ImageLimits()
        limits.maxUnpackedLayerBytes = .mebibytes(1)
        var bomb = TarBuilder()
        bomb.add("zeros", .file, Array(repeating: 0, count: 8 << 20))
        let blob = try await run("/usr/bin/gzip", ["-c"], input: bomb.finished)
        let error = await failure { try unpack(bomb, blob: blob, in: scratch, limits: limits) }
        #expect(error?.code == .resourceExhausted && error?.reason == "layerTooLarge")
    }

    @Test func manyEntriesOrLargeMetadataAreTooMuch() async {
        var limits = ImageLimits()
        limits.maxLayerEntries = 100
        let entries = await refusal(limits: limits) { tar in for number in 0..<200 { tar.file("\(number)", "") } }
        #expect(entries?.reason == "layerTooLarge")
        let parents = await refusal(limits: limits) {
            $0.file(String(repeating: "d/", count: 45) + "f", "");
            $0.file(String(repeating: "e/", count: 45) + "f", ""); $0.file(String(repeating: "g/", count: 45) + "f", "")
        }
        #expect(parents?.reason == "layerTooLarge")

        limits = ImageLimits()
        limits.maxLayerMetadataBytes = .kibibytes(4)
        let metadata = await refusal(limits: limits) {
            $0.add("f", .file, pax: [("SCHILY.xattr.user.large", Array(repeating: 7, count: 9000))])
        }
        #expect(metadata?.reason == "layerTooLarge")
    }

    @Test func damagedLayersAreNoLayers() async throws {
        var tar = TarBuilder()
        tar.add("f", .file, Array(repeating: 1, count: 100_000))
        let blob = try await run("/usr/bin/gzip", ["-c"], input: tar.finished)
        let cut = await failure { try unpack(tar, blob: Array(blob.dropLast(20)), in: scratch) }
        #expect(cut?.code == .dataLoss)
        let other = await failure { try unpack(TarBuilder(), blob: blob, in: scratch) }
        #expect(other?.code == .dataLoss && other?.reason == "digestMismatch")
        let noise = await failure { try unpack(tar, blob: Array(repeating: 0x5A, count: 4096), in: scratch) }
        #expect(noise?.reason == "unreadableArchive")
    }

    @Test func deepPathsDoNotExhaustTheStack() async throws {
        let path = String(repeating: "d/", count: 2000) + "f"
        var tar = TarBuilder()
        tar.add("x", .file, Array("deep".utf8), pax: [("path", Array(path.utf8))])
        let disk = try unpack(tar, in: scratch)
        try await run("/usr/bin/dump.erofs", ["-s", disk])
        #expect(await isUnsafe { $0.add("x", .file, pax: [("path", Array((path + path).utf8))]) })
    }
}
