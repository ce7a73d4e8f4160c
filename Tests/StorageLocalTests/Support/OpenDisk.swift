import Foundation
import TestSupport

@testable import StorageLocal

/// A disk that QEMU's block layer has open for writing, with its caches and its locks, as a machine has it.
final class OpenDisk: Sendable {
    private let process = Process()
    private let input = Pipe()
    private let output: String

    init(_ path: String, _ format: DiskFormat, in folder: TemporaryFolder) async throws {
        output = try folder.file("qemu-io-\(UUID().uuidString)")
        process.executableURL = URL(fileURLWithPath: "/usr/bin/qemu-io")
        process.arguments = ["-f", format.rawValue, "-t", "writeback", path]
        process.standardInput = input
        process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: output))
        process.standardError = process.standardOutput
        try process.run()
        try await prompt(1)
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    /// Has QEMU do something, and waits until it is done.
    func run(_ command: String) async throws {
        let next = try prompts() + 1
        try input.fileHandleForWriting.write(contentsOf: Data("\(command)\n".utf8))
        try await prompt(next)
    }

    private func prompt(_ number: Int) async throws {
        try await eventually("qemu-io asks for a command") {
            guard process.isRunning else { throw SupportError(try String(contentsOfFile: output, encoding: .utf8)) }
            return try prompts() >= number
        }
    }

    private func prompts() throws -> Int {
        let words = try String(contentsOfFile: output, encoding: .utf8)
        return words.split(separator: "qemu-io> ", omittingEmptySubsequences: false).count - 1
    }

    /// Lets go of the disk as a machine does that ends.
    func close() async throws {
        try input.fileHandleForWriting.close()
        try await eventually("qemu-io ends") { !process.isRunning }
    }
}
