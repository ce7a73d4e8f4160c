import CarpelPluginSDK
import Foundation
import TestSupport

@testable import StorageLocal

/// A volume whose copy does not get on until it is told to: its disk is a pipe, and opening one waits for a writer.
struct StoppedSource {
    let volume: Volume
    private let pool: TestPool
    private let disk: String

    init(in pool: TestPool) async throws {
        self.pool = pool
        volume = try await pool.create("source")
        disk = try pool.disk(volume)
        unlink(disk)
        guard mkfifo(disk, 0o600) == 0 else { throw SupportError("cannot make \(disk)") }
    }

    /// - Returns: when the copy has its locks and its part of the capacity.
    func startCopy() async throws -> Task<Volume, any Error> {
        let (pool, id) = (pool, volume.id)
        let copy = OwnThreads.start { try await pool.create("copy", 0, from: .volume(id)) }
        try await eventually("the copy is under way") { pool.plugin.pool.read { !$0.reservations.isEmpty } }
        return copy
    }

    func goOn() { close(open(disk, O_WRONLY)) }
}
