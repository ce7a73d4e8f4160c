import Foundation

/// Writes tars byte by byte, also such as no tool would write.
struct TarBuilder {
    private(set) var bytes: [UInt8] = []

    enum Kind: Character {
        case file = "0"
        case hardLink = "1"
        case symbolicLink = "2"
        case characterDevice = "3"
        case blockDevice = "4"
        case directory = "5"
        case fifo = "6"
    }

    mutating func add(
        _ path: String, _ kind: Kind = .file, _ content: [UInt8] = [], link: String = "", mode: Int = 0o644,
        uid: Int = 0, gid: Int = 0, mtime: Int = 1_700_000_000, device: (Int, Int) = (0, 0),
        pax: [(String, [UInt8])] = []
    ) {
        if !pax.isEmpty {
            let records = pax.flatMap { Self.record($0, $1) }
            header("PaxHeader", "x", size: records.count)
            data(records)
        }
        header(
            path, kind.rawValue, size: kind == .file ? content.count : 0, link: link, mode: mode, uid: uid, gid: gid,
            mtime: mtime, device: device)
        if kind == .file { data(content) }
    }

    mutating func file(_ path: String, _ text: String) { add(path, .file, Array(text.utf8)) }

    /// The tar with its end.
    var finished: [UInt8] { bytes + Array(repeating: 0, count: 1024) }

    /// A record counts itself: the length is found by trying.
    private static func record(_ name: String, _ value: [UInt8]) -> [UInt8] {
        let body = Array(" \(name)=".utf8) + value + [0x0A]
        var length = body.count
        while String(length).utf8.count + body.count != length { length = String(length).utf8.count + body.count }
        return Array(String(length).utf8) + body
    }

    private mutating func header(
        _ path: String, _ kind: Character, size: Int, link: String = "", mode: Int = 0o644, uid: Int = 0,
        gid: Int = 0, mtime: Int = 0, device: (Int, Int) = (0, 0)
    ) {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at offset: Int) {
            block.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8)
        }
        func octal(_ value: Int, _ digits: Int) -> String {
            let text = String(value, radix: 8)
            return String(repeating: "0", count: digits - text.count) + text
        }
        put(path, at: 0)
        put(octal(mode, 7), at: 100)
        put(octal(uid, 7), at: 108)
        put(octal(gid, 7), at: 116)
        put(octal(size, 11), at: 124)
        put(octal(mtime, 11), at: 136)
        put("        ", at: 148)
        put(String(kind), at: 156)
        put(link, at: 157)
        put("ustar\u{0}00", at: 257)
        put(octal(device.0, 7), at: 329)
        put(octal(device.1, 7), at: 337)
        put(octal(block.reduce(0) { $0 + Int($1) }, 6), at: 148)
        block[154] = 0
        bytes += block
    }

    private mutating func data(_ content: [UInt8]) {
        bytes += content
        bytes += Array(repeating: 0, count: (512 - content.count % 512) % 512)
    }
}
