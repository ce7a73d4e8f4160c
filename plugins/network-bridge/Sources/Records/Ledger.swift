import CarpelPluginSDK
import GRDB

/// Who has which address, device and port. A record has reached the disk when its call returns.
struct Ledger: Sendable {
    let database: DatabaseQueue
    /// Goes into the names that are made up.
    let owner: String

    /// - Throws: ``PluginError`` with `.dataLoss` and `recordsUnreadable`. Beginning anew would hand out addresses that
    ///   running pods have.
    init(path: String, owner: String) throws {
        self.owner = owner
        do {
            var configuration = Configuration()
            // Another process of the plugin, or somebody who looks with sqlite3.
            configuration.busyMode = .timeout(10)
            configuration.journalMode = .wal
            configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = FULL") }
            database = try DatabaseQueue(path: path, configuration: configuration)
            let complaint = try database.read { try String.fetchOne($0, sql: "PRAGMA quick_check(1)") }
            guard complaint == "ok" else { throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: complaint) }
            try Self.migrations.migrate(database)
        } catch let error as DatabaseError {
            throw PluginError(
                .dataLoss, "recordsUnreadable",
                """
                the records in \(path) cannot be read (\(error)): without them addresses would be handed out twice; \
                put a copy back, or move the file away when no pod runs
                """)
        }
    }

    private static var migrations: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { database in
            try database.create(table: "attachment") { table in
                table.column("pod", .text).notNull()
                table.column("network", .text).notNull()
                table.column("interface", .text).notNull()
                table.column("device", .text).notNull().unique()
                table.column("bridge", .text).notNull()
                table.column("macAddress", .text).notNull()
                table.column("request", .text).notNull()
                table.column("answer", .text).notNull()
                table.primaryKey(["pod", "network", "interface"])
                table.uniqueKey(["network", "macAddress"])
            }
            try database.create(table: "address") { table in
                table.column("network", .text).notNull()
                table.column("address", .text).notNull()
                table.column("pod", .text)
                table.column("interface", .text)
                table.column("released", .integer)
                table.primaryKey(["network", "address"])
                table.check(sql: "(pod IS NULL) = (released IS NOT NULL)")
            }
            try database.create(index: "addressByPod", on: "address", columns: ["pod"])
            try database.create(index: "addressByRelease", on: "address", columns: ["network", "released"])
            try database.create(table: "port") { table in
                table.column("transport", .text).notNull()
                table.column("hostPort", .integer).notNull()
                table.column("hostAddress", .text).notNull()
                table.column("pod", .text).notNull().indexed()
                table.column("network", .text).notNull()
                table.column("interface", .text).notNull()
                table.primaryKey(["transport", "hostPort", "hostAddress"])
            }
            try database.create(table: "cursor") { table in
                table.column("network", .text).notNull()
                table.column("subnet", .text).notNull()
                table.column("last", .text).notNull()
                table.primaryKey(["network", "subnet"])
            }
        }
        return migrator
    }

    /// - Returns: nil if there is none.
    func attachment(_ key: AttachmentKey) throws -> AttachmentRecord? {
        try database.read { try AttachmentRecord.fetchOne($0, key: key.columns) }
    }

    /// In the order of their devices.
    func attachments() throws -> [AttachmentRecord] {
        try database.read { try AttachmentRecord.order(Column("device")).fetchAll($0) }
    }

    /// Forgets the pod's card, and gives its addresses and ports back.
    func release(_ key: AttachmentKey) throws {
        try database.write { database in
            try AttachmentRecord.deleteOne(database, key: key.columns)
            try database.execute(sql: "DELETE FROM port WHERE pod = ? AND network = ? AND interface = ?", key)
            let released = "SELECT max(released) FROM address WHERE network = ?"
            let last = try Int64.fetchOne(database, sql: released, arguments: [key.network]) ?? 0
            try database.execute(
                sql: "UPDATE address SET pod = NULL, interface = NULL, released = ? "
                    + "WHERE pod = ? AND network = ? AND interface = ?",
                arguments: [last + 1] + key.arguments)
        }
    }
}

extension AttachmentKey {
    var columns: [String: any DatabaseValueConvertible] {
        ["pod": pod, "network": network, "interface": interface]
    }

    fileprivate var arguments: StatementArguments { [pod, network, interface] }
}

extension Database {
    fileprivate func execute(sql: String, _ key: AttachmentKey) throws {
        try execute(sql: sql, arguments: key.arguments)
    }
}
