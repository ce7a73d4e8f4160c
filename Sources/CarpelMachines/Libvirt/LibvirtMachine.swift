import CarpelCore
import Foundation

/// A domain of libvirt that runs.
final class LibvirtMachine: Machine {
    let id: String
    let uuid: String
    let channelPath: String
    let fate: MachineFate
    private let domain: LibvirtDomain
    private let process: QEMUProcess
    private let files: MachineFiles
    private let controlGroups: MachineControlGroups
    private let account: Account
    private let calls: BlockingCalls
    private let timeout: Duration
    private let background: BackgroundTasks
    private let diskOperations = SerialOperations()

    var processID: Int32 { process.id }
    var hasEnded: Bool { process.hasEnded }

    init(
        id: String, uuid: String, domain: LibvirtDomain, process: QEMUProcess, files: MachineFiles, log: String,
        fate: MachineFate, account: Account, calls: BlockingCalls, timeout: Duration, background: BackgroundTasks
    ) {
        (self.id, self.uuid, self.domain, self.process) = (id, uuid, domain, process)
        (self.files, self.fate, self.account, self.calls, self.timeout) = (files, fate, account, calls, timeout)
        self.background = background
        controlGroups = MachineControlGroups(of: process.id, domain: DomainDescription.domainName(id))
        channelPath = files.channelPath
        Task { [process, fate] in
            if await process.waitForEnd() { await fate.processEnded(log: log) }
        }
    }

    func end() async -> MachineEnd { await fate.wait() }

    func domainXML() async throws -> String {
        try await calls.run("describing machine \(id)", timeout: timeout) { [domain] in try domain.document() }
    }

    func attachedDisks() async throws -> [String] {
        let live = try await calls.run("listing the disks of machine \(id)", timeout: timeout) { [domain] in
            try domain.live()
        }
        return live.disks.compactMap(\.serial)
    }

    /// QEMU is killed through its pidfd, and libvirt left to tidy up after it: libvirt takes a process for alive until
    /// its parent has reaped it, which under some container's init takes seconds.
    func destroy() async throws {
        try await kill()
        background.run { [self] in await tidyUp() }
    }

    /// For a start that failed or was cancelled: nothing is left, in libvirt either.
    func destroyCompletely() async throws {
        try await kill()
        await tidyUp()
        files.removeAll()
    }

    private func kill() async throws {
        fate.expectDestruction()
        process.kill()
        try await waitForProcess()
        files.removeChannel()
        controlGroups.remove()
    }

    private func tidyUp() async {
        // Not asked for at once: libvirt would hold the lock of its list of domains, and no machine could start, until
        // it is done with this one. What it still holds of a dead QEMU harms nobody.
        if await !fate.waitForLibvirt(.seconds(10)) {
            _ = try? await calls.run("destroying machine \(id)", timeout: timeout) { [domain] in try domain.destroy() }
        }
        controlGroups.remove()
        files.removeLog()
    }

    private func waitForProcess() async throws {
        let process = process
        // Not in the caller's task: a cancelled caller, too, must know that QEMU is gone.
        let wait = Task {
            try await withDeadline(.seconds(10), reason: "machineLives", "waiting for QEMU (\(process.id)) to end") {
                await process.waitForEnd()
            }
        }
        _ = try await wait.value
    }
}

extension LibvirtMachine {
    func attach(_ disk: DiskSpec) async throws {
        guard disk.bus == .scsi else {
            throw CarpelError(
                .invalidArgument, "diskBus", "disk \(disk.serial) can only be plugged in as a SCSI disk", field: "bus")
        }
        try disk.validate()
        try disk.prepare(for: account)
        try await diskOperations.run { [self] in
            try await calls.run("plugging disk \(disk.serial) into machine \(id)", timeout: timeout) { [domain] in
                let live = try domain.live()
                if let present = live.disks.first(where: { $0.serial == disk.serial }) {
                    guard present.path != disk.path else { return }
                    throw CarpelError(
                        .alreadyExists, "diskSerialInUse",
                        "\(present.path ?? "another disk") is plugged in with serial \(disk.serial)", field: "serial")
                }
                guard let unit = live.freeUnit else {
                    throw CarpelError(
                        .resourceExhausted, "noFreeDiskSlot", "the machine has as many disks as it can take")
                }
                try domain.attach(disk.element(at: .scsi(unit: unit)).document())
            }
        }
    }

    func detach(serial: String) async throws {
        try await diskOperations.run { [self] in
            try await calls.run("unplugging disk \(serial) from machine \(id)", timeout: timeout) { [domain] in
                guard let disk = try domain.live().disks.first(where: { $0.serial == serial }) else { return }
                try domain.detach(disk.document)
                // libvirt returns without an error when the guest does not let go within five seconds.
                guard try !domain.live().disks.contains(where: { $0.serial == serial }) else {
                    throw CarpelError(
                        .unavailable, "diskBusy",
                        "the guest does not let go of disk \(serial); unmount it and try again")
                }
            }
        }
    }
}
