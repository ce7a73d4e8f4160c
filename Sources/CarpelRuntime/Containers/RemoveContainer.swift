import CarpelCore
import CarpelGuestProtocol
import Foundation

extension PodSandbox {
    /// Stops the container if need be and forgets it. A container that is not there is removed already,
    /// and a removal that is under way is joined.
    func removeContainer(_ id: String) async throws {
        guard let container = containers[id] else { return }
        if let removal = container.removal { return try await removal.value }
        let removal = Task {
            defer { containers[id]?.removal = nil }
            try await giveBack(id)
        }
        containers[id]?.removal = removal
        try await removal.value
    }

    private func giveBack(_ id: String) async throws {
        _ = await containers[id]?.creation?.result
        try await stopContainer(id, graceSeconds: 0)
        try await update(id) { $0.phase = .removing(last: $0.exit) }
        await drain(id, from: try? running())
        if case .ready(let running) = state {
            try await translated("remove the container") { try await running.guest.ask(.removeContainer(id: id)) }
        }
        guard let removed = containers[id] else { return }
        if case .ready = state {
            try unshareUnused(without: id)
            try await detachUnused(removed.record.layers, without: id)
        }
        try removeOwnLog(of: removed.record)
        try await environment.store.delete(removed.record)
        containers[id] = nil
    }

    /// CRI's log files belong to the kubelet.
    private func removeOwnLog(of record: ContainerRecord) throws {
        unlink(environment.paths.logNotes(id, record.id))
        let (folder, name) = (environment.paths.pod(id), (record.logPath as NSString).lastPathComponent)
        guard hasOwnLog(record), FileManager.default.fileExists(atPath: folder) else { return }
        for file in try FileManager.default.contentsOfDirectory(atPath: folder)
        where file == name || file.hasPrefix("\(name).") {
            try FileManager.default.removeItem(atPath: "\(folder)/\(file)")
        }
    }
}
