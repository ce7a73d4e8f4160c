import Foundation
import Logging
import TestSupport
import Testing

@testable import CarpelRuntime

@Suite struct StoreTests {
    private let logger = Logger(label: "store")

    /// The file of the release before networks and volumes, made by taking away what came with them.
    private func oldStore(in folder: TemporaryFolder) async throws -> String {
        let path = "\(folder.path)/carpel.db"
        try Store(path: path, logger: logger).close()
        try await shell(
            """
            sqlite3 "$1" "ALTER TABLE pod DROP COLUMN networks; ALTER TABLE pod DROP COLUMN volumes;
                ALTER TABLE container DROP COLUMN lostRecords; ALTER TABLE container DROP COLUMN lostBytes;
                ALTER TABLE container ADD COLUMN logLength INTEGER NOT NULL DEFAULT 0;
                ALTER TABLE pod DROP COLUMN resources; ALTER TABLE container DROP COLUMN resources;
                DELETE FROM grdb_migrations WHERE identifier > '1';
                INSERT INTO pod VALUES ('1', 'web', '', '{}', 1, 'ready', 1, 1, '[]', '[]', '');"
            """, path)
        return path
    }

    @Test func anOlderStoreIsReadAndACopyOfItKept() async throws {
        let folder = try TemporaryFolder()
        let path = try await oldStore(in: folder)
        let store = try Store(path: path, logger: logger)
        #expect(store.unreadable.isEmpty)
        let pods = try store.pods()
        #expect(pods.map(\.pod.id) == ["1"])
        #expect(pods.first?.pod.networks.isEmpty == true && pods.first?.pod.volumes.isEmpty == true)
        #expect(FileManager.default.fileExists(atPath: "\(path).before-migration-from-1"))
        store.close()
    }
}
