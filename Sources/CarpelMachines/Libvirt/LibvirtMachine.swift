import CarpelCore
import Foundation

/// What a machine must know of the hypervisor that runs it.
struct MachineHost: Sendable {
    let accelerator: AcceleratorChoice.Kind
    /// Nil where machines cannot have shared folders.
    let sharedFolderDaemon: String?
    let versions: @Sendable () throws -> (libvirt: String, qemu: String)
}

/// A domain of libvirt that runs.
final class LibvirtMachine: Machine {
    let id: String
    let uuid: String
    let channelPath: String
    let fate: MachineFate
    let domain: LibvirtDomain
    private let process: QEMUProcess
    private let files: MachineFiles
    private let controlGroups: MachineControlGroups
    let account: Account
    let calls: BlockingCalls
    let configuration: MachinesConfiguration
    var timeout: Duration { configuration.callTimeout }
    let host: MachineHost
    private let background: BackgroundTasks
    /// What is plugged in and out, one after the other: each looks for a free place.
    let deviceOperations = SerialOperations()

    var processID: Int32 { process.id }
    var hasEnded: Bool { process.hasEnded }

    init(
        id: String, uuid: String, domain: LibvirtDomain, process: QEMUProcess, files: MachineFiles, log: String,
        fate: MachineFate, account: Account, calls: BlockingCalls, configuration: MachinesConfiguration,
        background: BackgroundTasks, host: MachineHost
    ) {
        (self.id, self.uuid, self.domain, self.process) = (id, uuid, domain, process)
        (self.files, self.fate, self.account, self.calls) = (files, fate, account, calls)
        self.configuration = configuration
        (self.background, self.host) = (background, host)
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
