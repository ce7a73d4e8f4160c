import CarpelPluginSDK
import GRDB

/// Finds addresses for one card, within a transaction.
///
/// An address that nobody has had comes first, in order; then the one that was given back longest ago. So an address
/// comes back as late as possible: what others still know of its last owner has long been forgotten by then.
struct AddressAssignment {
    let database: Database
    let network: Network
    let key: AttachmentKey
    /// How many addresses are remembered as given back. Without a bound a /64 would fill the disk.
    var longestMemory = 65536

    /// - Parameter requested: addresses that the card must get; families that are not among them are assigned, too.
    /// - Throws: ``PluginError`` with `addressOutsideSubnet`, `addressExcluded`, `addressInUse`, `addressPoolEmpty`.
    func assign(_ requested: [IPAddress]) throws -> [(AddressPool, IPAddress)] {
        var result = try requested.map { try assign($0) }
        for family in IPAddress.Family.allCases where network.families.contains(family) {
            guard !requested.contains(where: { $0.family == family }) else { continue }
            result.append(try assignAny(family))
        }
        return result.sorted { $0.1.family.rawValue < $1.1.family.rawValue }
    }

    private func assign(_ address: IPAddress) throws -> (AddressPool, IPAddress) {
        guard let pool = network.pools.first(where: { $0.subnet.contains(address) }),
            pool.subnet.machineValues.contains(address.value)
        else {
            let subnets = network.pools.map { "\($0.subnet)" }.joined(separator: ", ")
            throw PluginError(
                .invalidArgument, "addressOutsideSubnet",
                "\(address) is no address of a pod on the network \(network.name), which has \(subnets)")
        }
        guard !pool.excludes(address) else {
            throw PluginError(.invalidArgument, "addressExcluded", "the configuration excludes \(address)")
        }
        guard address != pool.gateway else {
            throw PluginError(.alreadyExists, "addressInUse", "\(address) is the network's router")
        }
        if let owner = try record(address)?.pod {
            throw PluginError(.alreadyExists, "addressInUse", "\(address) belongs to the pod \(owner)")
        }
        try take(address)
        return (pool, address)
    }

    private func assignAny(_ family: IPAddress.Family) throws -> (AddressPool, IPAddress) {
        for pool in network.pools where pool.subnet.family == family {
            if let address = try neverUsed(in: pool) ?? leastRecentlyReleased(in: pool) ?? anyFree(in: pool) {
                try take(address)
                return (pool, address)
            }
        }
        throw PluginError(
            .resourceExhausted, "addressPoolEmpty",
            "every \(family.rawValue) address of the network \(network.name) is in use")
    }

    /// The next one in order of which no record tells.
    private func neverUsed(in pool: AddressPool) throws -> IPAddress? {
        let cursor = try CursorRecord.fetchOne(
            database, key: ["network": network.name, "subnet": "\(pool.subnet)"])
        guard let address = try firstUnknown(in: pool, after: cursor.flatMap { IPAddress($0.last) }) else { return nil }
        try CursorRecord(network: network.name, subnet: "\(pool.subnet)", last: "\(address)").upsert(database)
        return address
    }

    private func firstUnknown(in pool: AddressPool, after previous: IPAddress?) throws -> IPAddress? {
        var candidate = pool.next(after: previous)
        while let address = candidate, try record(address) != nil { candidate = pool.next(after: address) }
        return candidate
    }

    private func leastRecentlyReleased(in pool: AddressPool) throws -> IPAddress? {
        let sql = "SELECT address FROM address WHERE network = ? AND released IS NOT NULL ORDER BY released"
        let released = try String.fetchCursor(database, sql: sql, arguments: [network.name])
        while let text = try released.next() {
            if let address = IPAddress(text), pool.offers(address) { return address }
        }
        return nil
    }

    /// One that was passed over: it was forgotten, or excluded when the cursor came by.
    private func anyFree(in pool: AddressPool) throws -> IPAddress? { try firstUnknown(in: pool, after: nil) }

    private func record(_ address: IPAddress) throws -> AddressRecord? {
        try AddressRecord.fetchOne(database, key: ["network": network.name, "address": "\(address)"])
    }

    private func take(_ address: IPAddress) throws {
        try AddressRecord(
            network: network.name, address: "\(address)", pod: key.pod, interface: key.interface, released: nil
        ).upsert(database)
        try forgetOldest()
    }

    private func forgetOldest() throws {
        try database.execute(
            sql: "DELETE FROM address WHERE network = ?1 AND released IN (SELECT released FROM address "
                + "WHERE network = ?1 AND released IS NOT NULL ORDER BY released DESC LIMIT -1 OFFSET ?2)",
            arguments: [network.name, longestMemory])
    }
}
