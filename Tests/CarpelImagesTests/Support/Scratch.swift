import Foundation
import Testing

/// A directory that is gone after the test.
final class Scratch: Sendable {
    let path: String

    init() throws {
        path = "/var/tmp/carpel-images-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ bytes: some Sequence<UInt8>) throws -> String {
        try Data(bytes).write(to: URL(filePath: "\(path)/\(name)"))
        return "\(path)/\(name)"
    }

    /// Regular files below a folder, as paths from there.
    func files(_ folder: String) throws -> [String] {
        let all = try FileManager.default.subpathsOfDirectory(atPath: "\(path)/\(folder)")
        return all.filter {
            var isDirectory: ObjCBool = false
            return FileManager.default.fileExists(atPath: "\(path)/\(folder)/\($0)", isDirectory: &isDirectory)
                && !isDirectory.boolValue
        }.sorted()
    }
}

/// Runs a program to its end and gives its standard output.
@discardableResult
func run(_ program: String, _ arguments: [String], input: [UInt8]? = nil) async throws -> [UInt8] {
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    let scratch = try Scratch()
    let paths = try ["in", "out", "err"].map { try scratch.write($0, $0 == "in" ? input ?? [] : []) }
    process.standardInput = try FileHandle(forReadingFrom: URL(filePath: paths[0]))
    process.standardOutput = try FileHandle(forWritingTo: URL(filePath: paths[1]))
    process.standardError = try FileHandle(forWritingTo: URL(filePath: paths[2]))
    let status = try await withCheckedThrowingContinuation { continuation in
        process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
        do { try process.run() } catch { continuation.resume(throwing: error) }
    }
    let errors = try String(contentsOfFile: paths[2], encoding: .utf8)
    try #require(status == 0, "\(program) \(arguments): \(errors)")
    return Array(try Data(contentsOf: URL(filePath: paths[1])))
}
