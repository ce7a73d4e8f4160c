import CarpelCore
import Foundation

extension LibvirtMachine {
    func pause() async throws {
        try await calls.run("pausing machine \(id)", timeout: timeout) { [domain] in
            guard try !domain.isPaused() else { return }
            try domain.suspend()
        }
    }

    func resume() async throws {
        guard
            try await calls.run(
                "looking at machine \(id)", timeout: timeout, { [domain] in try domain.isPaused() })
        else { return }
        if try await migration().isUnderWay { try await giveUpSave() }
        try await calls.run("resuming machine \(id)", timeout: timeout) { [domain] in try domain.resume() }
    }

    func saveState(to descriptor: Int32) async throws {
        // QEMU would write 128 MiB a second at most; the machine waits.
        try await monitor("migrate-set-parameters", ["max-bandwidth": 1 << 40])
        try await monitor("getfd", ["fdname": Self.stateFile], passing: descriptor)
        try await monitor("migrate", ["uri": "fd:\(Self.stateFile)"])
        let end: Migration
        do {
            end = try await waitForMigration()
        } catch {
            try? await shielded { [self] in try await giveUpSave() }
            throw error
        }
        guard end.status == "completed" else {
            throw CarpelError(
                .unavailable, "machineNotSaved",
                "QEMU could not save the machine: \(end.explanation ?? "it ended with \(end.status ?? "nothing")")")
        }
    }

    func shape() async throws -> MachineShape {
        try await calls.run("describing machine \(id)", timeout: timeout) { [domain, host] in
            let live = try domain.live()
            return MachineShape(
                qemu: try host.versions().qemu, machineType: live.machineType, accelerator: host.accelerator,
                processor: host.accelerator == .kvm ? HostProcessor.description : "",
                virtualCPUs: live.capacity.virtualCPUs,
                maximumVirtualCPUs: live.capacity.maximumVirtualCPUs,
                memoryKibibytes: live.modules.reduce(live.capacity.memory.bytes) { $0 - $1.bytes } >> 10,
                maximumMemoryKibibytes: live.maximumMemory.map { $0.bytes >> 10 },
                modulesKibibytes: live.modules.map { $0.bytes >> 10 },
                units: Dictionary(
                    live.disks.compactMap { disk in
                        guard let serial = disk.serial, let unit = disk.unit else { return nil }
                        return (serial, unit)
                    }, uniquingKeysWith: { first, _ in first }))
        }
    }

    func setLinks(up: Bool) async throws {
        let cards = try await calls.run("listing the cards of machine \(id)", timeout: timeout) { [domain] in
            try domain.live().interfaces.map(\.alias)
        }
        for card in cards { try await monitor("set_link", ["name": card, "up": up]) }
    }

    /// Brings a machine that was started to wait for it into a saved state, and lets it go on.
    func load(_ state: SavedState) async throws {
        try await monitor("getfd", ["fdname": Self.stateFile], passing: state.descriptor)
        try await monitor("migrate-incoming", ["uri": "fd:\(Self.stateFile)"])
        let end = try await waitForMigration { !$0.hasEnded }
        guard end.status == "completed" else {
            throw CarpelError(
                .unavailable, "machineNotRestored",
                end.explanation ?? "it ended with \(end.status ?? "nothing")")
        }
        // The state brought the links of the other machine's cards along.
        try await setLinks(up: false)
        try await calls.run("resuming machine \(id)", timeout: timeout) { [domain] in try domain.resume() }
    }

    /// What QEMU calls the open file while it has it.
    private static let stateFile = "carpel-state"

    /// What QEMU says about the state that it saves or restores.
    ///
    /// Source: QEMU, qapi/migration.json, `MigrationInfo`.
    private struct Migration: Decodable {
        var status: String?
        var explanation: String?

        var hasEnded: Bool { status.map { ["completed", "failed", "cancelled"].contains($0) } ?? false }
        var isUnderWay: Bool { status != nil && status != "none" && !hasEnded }

        private enum CodingKeys: String, CodingKey {
            case status
            case explanation = "error-desc"
        }
    }

    private func migration() async throws -> Migration {
        try JSONDecoder().decode(Migration.self, from: try await monitor("query-migrate"))
    }

    /// QEMU looks up between two writes: a file that takes none for ever could not be given up.
    private func giveUpSave() async throws {
        try await withDeadline(.seconds(10), reason: "machineBusy", "giving up the save of machine \(id)") { [self] in
            try await monitor("migrate_cancel")
            try await waitForMigration()
        }
    }

    /// - Parameter goesOn: A state that is to be restored is not under way at once.
    @discardableResult
    private func waitForMigration(while goesOn: (Migration) -> Bool = { $0.isUnderWay }) async throws -> Migration {
        while true {
            let state = try await migration()
            guard goesOn(state) else { return state }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// - Returns: The JSON of QEMU's answer.
    /// - Throws: `CarpelError` with `.unavailable` and `qemuRefused` and what QEMU said.
    @discardableResult
    private func monitor(
        _ command: String, _ arguments: [String: any Sendable] = [:], passing descriptor: Int32? = nil
    ) async throws -> Data {
        let request = try JSONSerialization.data(withJSONObject: ["execute": command, "arguments": arguments])
        let text = String(decoding: request, as: UTF8.self)
        let answer = try await calls.run("\(command) of machine \(id)", timeout: timeout) { [domain] in
            try domain.monitor(text, passing: descriptor)
        }
        let object = try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [String: Any]
        if let error = object?["error"] as? [String: Any] {
            throw CarpelError(.unavailable, "qemuRefused", "\(command): \(error["desc"] as? String ?? answer)")
        }
        return try JSONSerialization.data(withJSONObject: object?["return"] ?? [:], options: .fragmentsAllowed)
    }
}
