import CarpelNetlink
import CarpelPluginSDK
import Glibc

/// The plugin's part of the host: bridges, taps and rules, in the network namespace of the thread that opens it.
final class HostNetwork {
    let networks: [Network]
    let ownership: Ownership
    let machineGroup: UInt32
    let netlink: Netlink
    let connections: ConnectionTracking
    private let nftables: Nftables
    private let ruleset: Ruleset

    /// - Throws: ``NetlinkError``, ``NftablesError``.
    init(networks: [Network], ownership: Ownership, machineGroup: UInt32) throws {
        self.networks = networks
        self.ownership = ownership
        self.machineGroup = machineGroup
        netlink = try Netlink()
        connections = try ConnectionTracking()
        nftables = try Nftables()
        ruleset = Ruleset(table: ownership.table, comment: ownership.comment, networks: networks)
    }

    // MARK: Rules

    /// Makes the rules what the records say, whatever they were.
    func replaceRules(with attachments: [AttachmentRecord]) throws {
        try nftables.run(ruleset.replacement(with: attachments))
    }

    /// - Parameter all: every attachment, for when somebody has thrown our tables away: `nft flush ruleset` is how many
    ///   firewalls begin.
    func addRules(for attachment: AttachmentRecord, among all: () throws -> [AttachmentRecord]) throws {
        do {
            try nftables.run(ruleset.addition(attachment))
        } catch let error as NftablesError where error.isNotFound {
            try replaceRules(with: all())
        }
    }

    func removeRules(of attachment: AttachmentRecord, among all: () throws -> [AttachmentRecord]) throws {
        do {
            try nftables.run(ruleset.removal(attachment))
        } catch let error as NftablesError where error.isNotFound {
            try replaceRules(with: all().filter { $0.key != attachment.key })
        }
    }

    /// Which of the rules that every pod needs are not there.
    func missingTables() throws -> [String] {
        try ["inet", "bridge"].filter { try answer("list table \($0) \(ownership.table)") == nil }
            .map { "the nftables table \($0) \(ownership.table)" }
    }

    /// Which rules of an attachment are not there.
    func missingRules(of attachment: AttachmentRecord) throws -> [String] {
        let missing = try ruleset.elements(attachment).filter {
            try answer("get element \($0.set) { \($0.key) }")?.contains($0.entry) != true
        }
        let chain = "bridge \(ownership.table) \(attachment.device)"
        let count = try rules(in: chain)
        let expected = PodRules(attachment).rules.count
        return missing.map { "the element \($0.entry) of \($0.set)" }
            + (count == expected ? [] : ["\(expected - count) of the \(expected) rules of the chain \(chain)"])
    }

    private func rules(in chain: String) throws -> Int {
        do {
            return try nftables.list("list chain \(chain)").count { $0.rule != nil }
        } catch let error as NftablesError where error.isNotFound {
            return 0
        }
    }

    /// - Returns: nil if there is no such object.
    private func answer(_ command: String) throws -> String? {
        do {
            return try nftables.run(command)
        } catch let error as NftablesError where error.isNotFound {
            return nil
        }
    }

    /// Throws both tables of another plugin away, whose state folder is gone.
    func removeTables(of id: String) throws {
        for family in ["inet", "bridge"] {
            let table = "\(family) carpel-\(id)"
            try nftables.run("add table \(table)\ndelete table \(table)")
        }
    }
}
