import CarpelPluginSDK
import GRDB

extension Ledger {
    struct Reservation: Sendable {
        let record: AttachmentRecord
        /// Whether there was no record before.
        let isNew: Bool
    }

    /// Writes down what a pod gets on a network, before it gets it.
    ///
    /// - Throws: ``PluginError`` with `addressOutsideSubnet`, `addressExcluded`, `addressInUse`, `addressPoolEmpty`,
    ///   `hostPortInUse`, `macAddressInUse`, or `attachmentDiffers` if the pod is on the network with other wishes.
    func reserve(_ request: ValidRequest, on network: Network) throws -> Reservation {
        try database.write { database in
            if let record = try AttachmentRecord.fetchOne(database, key: request.key.columns) {
                guard request.asks(for: record.request) else {
                    throw PluginError(
                        .alreadyExists, "attachmentDiffers",
                        "\(request.key) is there with other settings; take it off the network first")
                }
                return Reservation(record: record, isNew: false)
            }
            try Self.refuseTakenPorts(request, database)
            let addresses = try AddressAssignment(database: database, network: network, key: request.key)
                .assign(request.addresses)
            let record = try AttachmentRecord(
                request, on: network, addresses: addresses, names: freeNames(request, on: network, database))
            try record.insert(database)
            for mapping in request.portMappings {
                try PortRecord(mapping, request.key).insert(database)
            }
            return Reservation(record: record, isNew: true)
        }
    }

    private static func refuseTakenPorts(_ request: ValidRequest, _ database: Database) throws {
        for mapping in request.portMappings {
            let sql = "SELECT * FROM port WHERE transport = ? AND hostPort = ?"
            let taken = try PortRecord.fetchAll(
                database, sql: sql, arguments: [mapping.transport.rawValue, mapping.hostPort])
            let other = taken.first { mapping.hostAddress.overlaps(HostAddress(recorded: $0.hostAddress)) }
            guard let other else { continue }
            throw PluginError(
                .alreadyExists, "hostPortInUse",
                "the host's port \(mapping.hostPort)/\(mapping.transport.rawValue) leads to the pod \(other.pod)")
        }
    }

    /// A device's name and a card's address that follow from the key, so that they stay the same, and that no other
    /// pod has, those of another daemon on the host included.
    private func freeNames(
        _ request: ValidRequest, on network: Network, _ database: Database
    ) throws -> (device: String, macAddress: MACAddress) {
        if let macAddress = request.macAddress, try Self.isTaken(macAddress, on: network, database) {
            throw PluginError(.alreadyExists, "macAddressInUse", "another pod has the card's address \(macAddress)")
        }
        var attempt = 0
        while true {
            let key = request.key
            let hash = stableHash("\(owner)/\(key.pod)/\(key.network)/\(key.interface)/\(attempt)")
            let device = "cpl" + hexadecimal(hash >> 16, digits: 12)
            let macAddress = request.macAddress ?? MACAddress(locallyAdministered: hash)
            if try !Self.isTaken(device, database), try !Self.isTaken(macAddress, on: network, database) {
                return (device, macAddress)
            }
            attempt += 1
        }
    }

    private static func isTaken(_ device: String, _ database: Database) throws -> Bool {
        let sql = "SELECT 1 FROM attachment WHERE device = ?"
        return try Int.fetchOne(database, sql: sql, arguments: [device]) != nil
    }

    private static func isTaken(_ address: MACAddress, on network: Network, _ database: Database) throws -> Bool {
        let sql = "SELECT 1 FROM attachment WHERE network = ? AND macAddress = ?"
        return try Int.fetchOne(database, sql: sql, arguments: [network.name, "\(address)"]) != nil
    }
}

/// The same for the same text, in every process: FNV-1a.
func stableHash(_ text: String) -> UInt64 {
    text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
}

extension PortRecord {
    fileprivate init(_ mapping: ValidRequest.Mapping, _ key: AttachmentKey) {
        self.init(
            transport: mapping.transport, hostPort: mapping.hostPort, hostAddress: "\(mapping.hostAddress)",
            pod: key.pod, network: key.network, interface: key.interface)
    }
}

extension AttachmentRecord {
    fileprivate init(
        _ request: ValidRequest, on network: Network, addresses: [(AddressPool, IPAddress)],
        names: (device: String, macAddress: MACAddress)
    ) {
        let pools = addresses.map(\.0)
        let gateways = network.families.sorted { $0.rawValue < $1.rawValue }.compactMap { family in
            pools.first { $0.subnet.family == family }?.gateway
        }
        self.init(
            pod: request.key.pod, network: network.name, interface: request.key.interface, device: names.device,
            bridge: network.bridge, macAddress: "\(names.macAddress)", request: request.original,
            answer: NetworkAttachment(
                device: names.device, macAddress: "\(names.macAddress)", mtu: network.mtu,
                addresses: addresses.map { pool, address in
                    IPConfiguration(
                        address: "\(address)/\(pool.subnet.prefixLength)", gateway: "\(pool.gateway)")
                },
                routes: gateways.map {
                    Route(destination: $0.family == .ipv4 ? "0.0.0.0/0" : "::/0", gateway: "\($0)")
                }, dns: network.dns))
    }
}
