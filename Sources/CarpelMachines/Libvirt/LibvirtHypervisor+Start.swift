import CarpelCore
import Foundation

extension LibvirtHypervisor {
    public func start(_ spec: MachineSpec) async throws -> any Machine { try await start(spec, from: nil) }

    /// - Parameter state: What the machine goes on from; nil for one that boots.
    func start(_ spec: MachineSpec, from state: SavedState?) async throws -> any Machine {
        try spec.validate(configuration, account: account)
        let name = DomainDescription.domainName(spec.id)
        // Before any file is touched: a second start must not remove the files of the machine that runs.
        guard machines.reserve(spec.id) else { throw Self.exists(spec.id) }
        defer { machines.release(spec.id) }
        try await requireAbsent(spec.id)
        for disk in spec.disks { try disk.prepare(for: account) }
        for interface in spec.interfaces { try interface.requireTap() }
        if let folder = spec.sharedFolder { try requireSharing(folder) }
        guard !Task.isCancelled else { throw Self.cancelled(spec.id) }

        var files = MachineFiles(
            channelPath: spec.channelPath, bootLogPath: spec.bootLogPath, log: place.isOwn ? place.log(name) : nil)
        let uuid = UUID().uuidString.lowercased()
        let fate = machines.expect(uuid, bootLogPath: spec.bootLogPath)
        do {
            try files.prepare()
            let machine = try await boot(spec, from: state?.shape, uuid: uuid, files: files, fate: fate)
            do {
                if let state { try await machine.load(state) }
                guard !Task.isCancelled else { throw Self.cancelled(spec.id) }
            } catch {
                let said = LogTail.qemu(place.log(name))
                try await machine.destroyCompletely()
                throw Task.isCancelled ? Self.cancelled(spec.id) : rejected(error, said)
            }
            machines.add(machine)
            confinement.look(at: machine.processID)
            return machine
        } catch {
            machines.forget(uuid: uuid)
            let explained = explain(error, log: place.log(name))
            files.removeAll()
            throw explained
        }
    }

    private func boot(
        _ spec: MachineSpec, from shape: MachineShape?, uuid: String, files: MachineFiles, fate: MachineFate
    ) async throws -> LibvirtMachine {
        let description = DomainDescription(
            spec: spec, configuration: configuration, accelerator: accelerator.kind, uuid: uuid,
            sharedFolderDaemon: sharedFolderDaemon?.path ?? "", shape: shape
        ).document
        let name = DomainDescription.domainName(spec.id)
        let domain = try await calls.run(
            "starting machine \(spec.id)", timeout: configuration.callTimeout,
            late: { (domain: LibvirtDomain) in try? domain.destroy() }
        ) { [connection] in try connection.create(description, paused: shape != nil) }
        guard let process = QEMUProcess(pidFile: place.pidFile(name), uuid: uuid) else {
            try await calls.run("destroying machine \(spec.id)", timeout: configuration.callTimeout) {
                try domain.destroy()
            }
            throw CarpelError(.unavailable, "libvirtFailed", "QEMU ended as soon as machine \(spec.id) had started")
        }
        return machine(spec.id, uuid, domain, process, files, fate)
    }

    /// A domain of that name whose QEMU has ended, and which libvirt has not noticed yet, is removed.
    private func requireAbsent(_ id: String) async throws {
        let name = DomainDescription.domainName(id)
        try await calls.run("looking up \(name)", timeout: configuration.callTimeout) { [connection, place] in
            guard let domain = try connection.domain(named: name), let live = try? domain.live() else { return }
            guard live.mark != nil, QEMUProcess(pidFile: place.pidFile(name), uuid: live.uuid) == nil else {
                throw Self.exists(id)
            }
            try domain.destroy()
        }
    }

    private func requireSharing(_ folder: SharedFolderSpec) throws {
        if case .unavailable(let reason) = virtualFileSystem {
            throw CarpelError(
                .failedPrecondition, "virtiofsUnavailable", "the machine cannot have a shared folder: \(reason)",
                field: "sharedFolder")
        }
        try folder.requireFolder()
    }

    private static func cancelled(_ id: String) -> CarpelError {
        CarpelError(.cancelled, "cancelled", "the start of machine \(id) was cancelled")
    }

    private static func exists(_ id: String) -> CarpelError {
        CarpelError(.alreadyExists, "machineExists", "machine \(id) runs already; destroy it first")
    }

    /// libvirt's complaint, with what QEMU itself said.
    private func explain(_ error: any Error, log: String) -> any Error {
        guard let error = error as? CarpelError, error.reason == "libvirtFailed" else { return error }
        let said = [("QEMU", log), ("virtiofsd", MachineFiles.sharedFolderLog(besides: log))].compactMap { who, file in
            let words = LogTail.qemu(file)
            return words.isEmpty ? nil : "\n\(who) said:\n\(words)"
        }
        return CarpelError(.unavailable, "machineStartFailed", error.message + said.joined())
    }
}
