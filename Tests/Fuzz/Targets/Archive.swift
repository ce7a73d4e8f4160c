import CArchive
import CarpelCore
import Foundation
import Glibc

@testable import CarpelImages

/// Tars for seeds, as tools write them.
enum Archive {
    enum Compression {
        case none, gzip, zstd
    }

    struct Entry {
        var path: String
        var type: mode_t = Glibc.S_IFREG
        var content: [UInt8] = []
        var link = ""
        var attribute: [UInt8]?
    }

    static func layer(_ compression: Compression = .none) throws -> [UInt8] {
        try tar(
            [
                Entry(path: "./", type: Glibc.S_IFDIR), Entry(path: "etc/", type: Glibc.S_IFDIR),
                Entry(path: "etc/passwd", content: Array("root:x:0:0::/:/bin/sh\n".utf8)),
                Entry(path: "bin/sh", content: [UInt8](repeating: 7, count: 700), attribute: [1, 2, 3]),
                Entry(path: "bin/link", type: Glibc.S_IFLNK, link: "../etc/passwd"),
                Entry(path: "bin/hard", type: 0, link: "bin/sh"), Entry(path: "dev/null", type: Glibc.S_IFCHR),
                Entry(path: "var/.wh.old"), Entry(path: "var/.wh..wh..opq"),
                Entry(path: "a/" + String(repeating: "long", count: 40) + "/é", type: Glibc.S_IFIFO),
            ], compression)
    }

    /// GNU's old form of a file with a hole.
    static let sparse: [UInt8] = {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, _ offset: Int) {
            block.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8)
        }
        put("hole", 0)
        put("0000644\u{0}0000000\u{0}0000000\u{0}00000001000\u{0}14524410400\u{0}        S", 100)
        put("ustar  ", 257)
        put("00000010000\u{0}00000001000\u{0}", 386)
        put("00000011000", 483)
        put(String(block.reduce(0) { $0 + Int($1) }, radix: 8), 149)
        block[148] = UInt8(ascii: "0")
        block[154] = 0
        return block + [UInt8](repeating: 1, count: 512) + [UInt8](repeating: 0, count: 1024)
    }()

    static func ociLayout(_ compression: Compression = .none) throws -> [UInt8] {
        let layer = try layer()
        let (configuration, manifest) = try documents(layer)
        let index = ImageIndex(manifests: [
            Descriptor(
                mediaType: MediaType.ociManifest, digest: Digest(of: manifest), size: Int64(manifest.count),
                platform: .node, annotations: [NameIndex.nameAnnotation: "docker.io/library/a:b"])
        ])
        let blobs = [layer, configuration, manifest].map {
            Entry(path: "blobs/sha256/\(Digest(of: $0).hex)", content: $0)
        }
        return try tar([Entry(path: "index.json", content: try JSONEncoder.stable(index))] + blobs, compression)
    }

    static func dockerSave() throws -> [UInt8] {
        let layer = try layer()
        let (configuration, _) = try documents(layer)
        let manifest = #"[{"Config":"c.json","RepoTags":["a:b"],"Layers":["l/layer.tar","m/layer.tar"]}]"#
        return try tar([
            Entry(path: "manifest.json", content: Array(manifest.utf8)), Entry(path: "c.json", content: configuration),
            Entry(path: "l/layer.tar", content: layer),
            Entry(path: "m/layer.tar", type: Glibc.S_IFLNK, link: "../l/layer.tar"),
        ])
    }

    private static func documents(_ layer: [UInt8]) throws -> (configuration: [UInt8], manifest: [UInt8]) {
        let configuration = Array(
            "{\"os\":\"linux\",\"rootfs\":{\"diff_ids\":[\"\(Digest(of: layer))\"]},\"config\":{}}".utf8)
        let manifest = ImageManifest(
            mediaType: MediaType.ociManifest,
            config: Descriptor(
                mediaType: MediaType.ociConfig, digest: Digest(of: configuration), size: Int64(configuration.count)),
            layers: [
                Descriptor(mediaType: MediaType.ociLayer, digest: Digest(of: layer), size: Int64(layer.count))
            ])
        return (configuration, try JSONEncoder.stable(manifest))
    }

    private static func tar(_ entries: [Entry], _ compression: Compression = .none) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 1 << 17)
        var used = 0
        let count = bytes.count
        let archive = archive_write_new()
        defer { archive_write_free(archive) }
        switch compression {
        case .none: archive_write_add_filter_none(archive)
        case .gzip: archive_write_add_filter_gzip(archive)
        case .zstd: archive_write_add_filter_zstd(archive)
        }
        archive_write_set_format_pax_restricted(archive)
        archive_write_set_bytes_per_block(archive, 512)
        try bytes.withUnsafeMutableBytes { buffer in
            archive_write_open_memory(archive, buffer.baseAddress, count, &used)
            for entry in entries { try write(entry, to: archive) }
            try Finding.require(archive_write_close(archive) == ARCHIVE_OK, "a seed cannot be written")
        }
        return Array(bytes.prefix(used))
    }

    private static func write(_ entry: Entry, to archive: OpaquePointer?) throws {
        let header = archive_entry_new()
        defer { archive_entry_free(header) }
        archive_entry_set_pathname(header, entry.path)
        archive_entry_set_mode(header, entry.type | 0o755)
        archive_entry_set_size(header, Int64(entry.content.count))
        archive_entry_set_mtime(header, 1_700_000_000, 5)
        if entry.type == Glibc.S_IFLNK { archive_entry_set_symlink(header, entry.link) }
        if entry.type == 0 { archive_entry_set_hardlink(header, entry.link) }
        if let value = entry.attribute { archive_entry_xattr_add_entry(header, "user.a", value, value.count) }
        try Finding.require(
            archive_write_header(archive, header) >= ARCHIVE_WARN,
            "a seed cannot be written: \(archive_error_string(archive).map { String(cString: $0) } ?? "")")
        if !entry.content.isEmpty { _ = archive_write_data(archive, entry.content, entry.content.count) }
    }
}
