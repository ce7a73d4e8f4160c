import CarpelCore
import Foundation
import TestSupport
import Testing

@testable import CarpelServer

@Suite(.timeLimit(.minutes(1))) struct BoundSocketTests {
    private let folder: TemporaryFolder
    private let path: String

    init() throws {
        folder = try TemporaryFolder()
        path = "\(folder.path)/carpel.sock"
    }

    private func mode(of path: String) throws -> mode_t {
        var status = stat()
        try #require(stat(path, &status) == 0)
        return status.st_mode & 0o7777
    }

    private func makeFile(_ name: String) throws -> mode_t {
        let file = "\(folder.path)/\(name)"
        let descriptor = open(file, O_CREAT | O_EXCL, 0o666)
        try #require(descriptor >= 0)
        defer {
            close(descriptor)
            unlink(file)
        }
        return try mode(of: file)
    }

    /// The umask was changed for as long as the bind took: other threads' files and folders were nobody else's.
    @Test func bindingLeavesTheModesOfOthersFilesAlone() async throws {
        let usual = try makeFile("usual")
        try await withThrowingTaskGroup(of: Set<mode_t>.self) { group in
            group.addTask {
                var modes: Set<mode_t> = []
                while !Task.isCancelled {
                    modes.insert(try makeFile("other"))
                    await Task.yield()
                }
                return modes
            }
            for _ in 0..<100 { try await Server.bind(path, adminGroup: "none").executeThenClose { _ in } }
            group.cancelAll()
            for try await modes in group { #expect(modes == [usual]) }
        }
    }

    @Test func untilItsGroupIsSetItIsItsOwnersAlone() throws {
        let socket = try BoundSocket.at(path)
        #expect(try mode(of: path) & 0o177 == 0)
        try socket.admit(group: nil)
        #expect(try mode(of: path) == 0o660)
    }

    @Test func itTakesThePlaceOfOneThatADeadDaemonLeft() throws {
        for _ in 0..<2 { _ = try BoundSocket.at(path) }
        var status = stat()
        #expect(lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK)
    }

    @Test func aFileThatIsNoSocketStays() throws {
        let file = try folder.file("carpel.sock", "a note")
        let error = #expect(throws: CarpelError.self) { _ = try BoundSocket.at(path) }
        #expect(error?.reason == "socketPathTaken")
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "a note")
    }

    @Test(arguments: [("/nowhere/carpel.sock", "socketUnusable"), (String(repeating: "x", count: 108), "pathTooLong")])
    func aPathThatCannotBeBoundIsRefused(path: String, reason: String) throws {
        let error = #expect(throws: CarpelError.self) { _ = try BoundSocket.at(path) }
        #expect(error?.reason == reason)
    }
}
