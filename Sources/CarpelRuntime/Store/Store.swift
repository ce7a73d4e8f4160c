import CarpelAPI
import CarpelCore
import Foundation
import GRDB
import Logging

/// The node's records in SQLite. A write has reached the disk when its call returns.
struct Store: Sendable {
    private let database: DatabasePool
    /// Sentences about records that cannot be read. While there are any, nothing is collected.
    let unreadable: [String]

    /// Opens the database, and sets aside (never deletes) one that SQLite cannot read.
    init(path: String, logger: Logger) throws {
        do {
            let database = try Self.open(path)
            unreadable = try database.read(Self.findUnreadable) + Self.setAside(path)
            self.database = database
        } catch let error as DatabaseError where [.SQLITE_NOTADB, .SQLITE_CORRUPT].contains(error.resultCode) {
            let aside = "\(path).unreadable-\(Int(Date().timeIntervalSince1970))"
            for suffix in ["", "-wal", "-shm"] where FileManager.default.fileExists(atPath: path + suffix) {
                try FileManager.default.moveItem(atPath: path + suffix, toPath: aside + suffix)
            }
            logger.error(
                "the store cannot be read and was set aside", metadata: ["file": "\(aside)", "cause": "\(error)"])
            database = try Self.open(path)
            unreadable = try Self.setAside(path)
        }
    }

    /// Stores that were set aside count until somebody has moved them away: what they tell of may still run.
    private static func setAside(_ path: String) throws -> [String] {
        let url = URL(fileURLWithPath: path)
        return try FileManager.default.contentsOfDirectory(atPath: url.deletingLastPathComponent().path)
            .filter {
                $0.hasPrefix("\(url.lastPathComponent).unreadable-") && !$0.hasSuffix("-wal") && !$0.hasSuffix("-shm")
            }
            .map { "the store could not be read; it was kept as \($0)" }
    }

    private static func open(_ path: String) throws -> DatabasePool {
        var configuration = Configuration()
        // Somebody may be looking with sqlite3.
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA synchronous = FULL")
        }
        let pool = try DatabasePool(path: path, configuration: configuration)
        try keepCopyBeforeMigrating(pool, path: path)
        try migrations.migrate(pool)
        return pool
    }

    private static func keepCopyBeforeMigrating(_ pool: DatabasePool, path: String) throws {
        let applied = try pool.read { try migrations.appliedIdentifiers($0) }
        guard let last = applied.max(), try pool.read({ try !migrations.hasCompletedMigrations($0) }) else { return }
        try pool.backup(to: DatabaseQueue(path: "\(path).before-migration-from-\(last)"))
    }

    private static var migrations: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { database in
            try database.create(table: "pod") { table in
                table.primaryKey("id", .text)
                table.column("name", .text).notNull().unique()
                table.column("runtimeHandler", .text).notNull()
                table.column("config", .text).notNull()
                table.column("createdAt", .integer).notNull()
                table.column("phase", .text).notNull()
                table.column("virtualCPUs", .integer).notNull()
                table.column("memoryBytes", .integer).notNull()
                table.column("timeline", .text).notNull()
                table.column("leftovers", .text).notNull()
                table.column("failure", .text).notNull()
            }
            try database.create(table: "container") { table in
                table.primaryKey("id", .text)
                table.column("podID", .text).notNull().references("pod", onDelete: .restrict)
                table.column("name", .text).notNull()
                table.column("config", .text).notNull()
                table.column("imageID", .text).notNull()
                table.column("imageReference", .text).notNull()
                table.column("layers", .text).notNull()
                table.column("spec", .blob).notNull()
                table.column("createdAt", .integer).notNull()
                table.column("phase", .text).notNull()
                table.column("logPath", .text).notNull()
                table.column("nextOutput", .integer).notNull()
                table.column("logLength", .integer).notNull()
                table.uniqueKey(["podID", "name"])
            }
        }
        migrator.registerMigration("2") { database in
            try database.alter(table: "pod") { table in
                table.add(column: "networks", .text).notNull().defaults(to: "[]")
                table.add(column: "volumes", .text).notNull().defaults(to: "[]")
            }
        }
        migrator.registerMigration("3") { database in
            try database.alter(table: "container") { table in
                table.drop(column: "logLength")
                table.add(column: "lostRecords", .integer).notNull().defaults(to: 0)
                table.add(column: "lostBytes", .integer).notNull().defaults(to: 0)
            }
        }
        migrator.registerMigration("4") { database in
            for name in ["pod", "container"] {
                try database.alter(table: name) { $0.add(column: "resources", .text) }
            }
        }
        return migrator
    }

    private static func findUnreadable(_ database: Database) throws -> [String] {
        func unreadable<Record: FetchableRecord & TableRecord>(_ type: Record.Type) throws -> [String] {
            try Row.fetchAll(database, sql: "SELECT * FROM \(type.databaseTableName)").compactMap { row in
                do {
                    _ = try Record(row: row)
                    return nil
                } catch {
                    return
                        "the \(type.databaseTableName) record \(row["id"] as String? ?? "?") cannot be read: \(error)"
                }
            }
        }
        return try unreadable(PodRecord.self) + unreadable(ContainerRecord.self)
    }

    func close() { try? database.close() }

    /// Every pod that can be read, with its containers that can be.
    func pods() throws -> [(pod: PodRecord, containers: [ContainerRecord])] {
        try database.read { database in
            func readable<Record: FetchableRecord & TableRecord>(_ type: Record.Type) throws -> [Record] {
                try Row.fetchAll(database, sql: "SELECT * FROM \(type.databaseTableName) ORDER BY createdAt")
                    .compactMap { try? Record(row: $0) }
            }
            let containers = Dictionary(grouping: try readable(ContainerRecord.self), by: \.podID)
            return try readable(PodRecord.self).map { ($0, containers[$0.id] ?? []) }
        }
    }

    func insert<Record: PersistableRecord & Sendable>(_ record: Record) async throws {
        try await write { try record.insert($0) }
    }

    func update<Record: PersistableRecord & Sendable>(_ record: Record) async throws {
        try await write { try record.update($0) }
    }

    /// Deletes the record if it is there.
    func delete<Record: PersistableRecord & Sendable>(_ record: Record) async throws {
        try await write { _ = try record.delete($0) }
    }

    /// Deletes a pod's record and those of its containers.
    func deletePod(_ id: String) async throws {
        try await write { database in
            try database.execute(sql: "DELETE FROM container WHERE podID = ?", arguments: [id])
            try database.execute(sql: "DELETE FROM pod WHERE id = ?", arguments: [id])
        }
    }

    private func write(_ change: @escaping @Sendable (Database) throws -> Void) async throws {
        do {
            // A cancelled start, too, has to write what became of it.
            try await shielded { try await database.write(change) }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_FULL {
            throw CarpelError(
                .resourceExhausted, "noSpace", "no space left for the store: free some on the file system of --root")
        }
    }
}
