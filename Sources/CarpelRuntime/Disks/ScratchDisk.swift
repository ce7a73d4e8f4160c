import CarpelCore
import Foundation
import Subprocess

/// The disk that takes what a pod's containers write: ext4 on a sparse file.
struct ScratchDisks: Sendable {
    static let serial = "scratch"
    static let formatter = "/sbin/mkfs.ext4"

    let templates: String
    let size: ByteCount

    /// Makes a pod's disk by copying the blocks in use of a file system that was formatted once.
    func make(at path: String) async throws {
        let template = try await formattedTemplate()
        try await Self.run("/bin/cp", ["--sparse=always", "--reflink=auto", template, path])
    }

    private func formattedTemplate() async throws -> String {
        let template = "\(templates)/\(size.bytes).ext4"
        if FileManager.default.fileExists(atPath: template) { return template }
        try FileManager.default.createDirectory(atPath: templates, withIntermediateDirectories: true)
        let partial = "\(template).\(UUID().uuidString).partial"
        defer { try? FileManager.default.removeItem(atPath: partial) }
        try await Self.format(partial, size: size)
        guard rename(partial, template) == 0 else {
            throw CarpelError(
                .internal, "scratchDiskFailed", "cannot keep \(template): \(String(cString: strerror(errno)))")
        }
        return template
    }

    /// Makes a sparse file of that length with an empty ext4 in it.
    static func format(_ path: String, size: ByteCount) async throws {
        guard FileManager.default.createFile(atPath: path, contents: nil), truncate(path, off_t(size.bytes)) == 0
        else {
            throw CarpelError(
                errno == ENOSPC ? .resourceExhausted : .internal, errno == ENOSPC ? "noSpace" : "scratchDiskFailed",
                "cannot make \(path): \(String(cString: strerror(errno)))")
        }
        // What it holds dies with the pod: a journal would only cost writes.
        try await run(
            formatter,
            ["-q", "-F", "-m", "0", "-O", "^has_journal,^resize_inode", "-E", "lazy_itable_init=1,discard", path])
    }

    private static func run(_ program: String, _ arguments: [String]) async throws {
        let result = try await withDeadline(.seconds(60), reason: "scratchDiskFailed", program) {
            try await Subprocess.run(
                .path(.init(program)), arguments: Arguments(arguments), output: .discarded,
                error: .string(limit: 4096, encoding: UTF8.self))
        }
        guard result.terminationStatus.isSuccess else {
            let words = result.standardError
            let full = words.contains("No space left")
            throw CarpelError(
                full ? .resourceExhausted : .internal, full ? "noSpace" : "scratchDiskFailed",
                full
                    ? "no space left for the pod's scratch disk: free some on the file system of --root"
                    : "\(program): \(words)")
        }
    }
}
