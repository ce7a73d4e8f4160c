import CarpelCore
import Foundation
import Logging
import Synchronization

/// Machines by libvirt's QEMU driver.
///
/// A process can open one embedded driver only (libvirt keeps its state per process), for as long as it lives.
public final class LibvirtHypervisor: Hypervisor {
    public let accelerator: AcceleratorChoice
    public let virtualFileSystem: VirtualFileSystem
    let configuration: MachinesConfiguration
    let connection: LibvirtConnection
    let calls: BlockingCalls
    let account: Account
    let place: DriverPlace
    let logger: Logger
    let machines = MachineTable()
    let confinement: ConfinementWatch
    /// Nil where machines cannot have shared folders.
    let sharedFolderDaemon: SharedFolderDaemon?
    private let background = BackgroundTasks()
    private let events: LifecycleEvents
    private let eventRegistration: Int32

    /// Finds out what can run machines here and opens the driver; machines of before go on running under it.
    ///
    /// - Throws: `CarpelError` with `.failedPrecondition`: `qemuUserMissing`, `libvirtUserMissing`, `kvmNotAccessible`,
    ///   `kvmUnusable`, `stateDirectoryInUse` or `stateDirectoryUnusable`; `.unavailable` with `libvirtFailed`.
    public static func open(_ configuration: MachinesConfiguration, logger: Logger) async throws -> LibvirtHypervisor {
        let calls = BlockingCalls()
        do {
            return try await calls.run("opening libvirt's QEMU driver", timeout: configuration.callTimeout) {
                try LibvirtHypervisor(configuration, calls, logger)
            }
        } catch {
            calls.close()
            throw error
        }
    }

    private init(_ configuration: MachinesConfiguration, _ calls: BlockingCalls, _ logger: Logger) throws {
        (self.configuration, self.calls, self.logger) = (configuration, calls, logger)
        account = try Account(user: configuration.qemuUser, group: configuration.qemuGroup)
        accelerator = try AcceleratorChoice.choose(configuration.accelerator, account: account, probe: KVMProbe())
        place = DriverPlace(configuration)
        confinement = ConfinementWatch(logger: logger)
        switch SharedFolderDaemon.find(configuration) {
        case .success(let binary):
            (sharedFolderDaemon, virtualFileSystem) = (try SharedFolderDaemon(binary: binary), .available)
        case .failure(let why):
            let reason = why.fix.map { "\(why.reason); \($0)" } ?? why.reason
            (sharedFolderDaemon, virtualFileSystem) = (nil, .unavailable(reason: reason))
        }
        if configuration.driver == .embed {
            let root = EmbedRoot(
                path: configuration.stateDirectory, user: configuration.qemuUser, group: configuration.qemuGroup)
            try root.prepare(account: account, logger: logger)
        }
        connection = try LibvirtConnection(uri: place.uri)
        try connection.askForCapabilities(accelerator.kind, emulator: configuration.emulator)
        events = LifecycleEvents()
        eventRegistration = try connection.sendEvents(to: events)
        Task { [events, machines] in
            for await event in events.stream { machines.observe(event) }
        }
        if accelerator.kind == .tcg, configuration.accelerator != .tcg {
            logger.warning("machines run without KVM, slowly: \(accelerator.reason)")
        }
    }

    public func reattach() async throws -> [any Machine] {
        let found = try await calls.run("finding the machines", timeout: configuration.callTimeout) { [connection] in
            try connection.runningDomains().compactMap { domain -> (LibvirtDomain, LiveDomain)? in
                do {
                    return (domain, try domain.live())
                } catch let error as CarpelError where error.reason == "machineGone" {
                    return nil
                }
            }
        }
        return found.compactMap { domain, live in reattach(domain, live) }
    }

    private func reattach(_ domain: LibvirtDomain, _ live: LiveDomain) -> LibvirtMachine? {
        guard let mark = live.mark, mark.root == configuration.stateDirectory, let channelPath = live.channelPath,
            live.name == DomainDescription.domainName(mark.id)
        else { return nil }
        if let known = machines.machine(mark.id) { return known }
        guard let process = QEMUProcess(pidFile: place.pidFile(live.name), uuid: live.uuid) else {
            logger.warning("libvirt lists machine \(mark.id), but its QEMU has ended")
            return nil
        }
        let files = MachineFiles(
            channelPath: channelPath, bootLogPath: live.bootLogPath, log: place.isOwn ? place.log(live.name) : nil)
        let fate = machines.expect(live.uuid, bootLogPath: live.bootLogPath)
        let machine = machine(mark.id, live.uuid, domain, process, files, fate)
        machines.add(machine)
        return machine
    }

    func machine(
        _ id: String, _ uuid: String, _ domain: LibvirtDomain, _ process: QEMUProcess, _ files: MachineFiles,
        _ fate: MachineFate
    ) -> LibvirtMachine {
        LibvirtMachine(
            id: id, uuid: uuid, domain: domain, process: process, files: files,
            log: place.log(DomainDescription.domainName(id)), fate: fate, account: account, calls: calls,
            configuration: configuration, background: background,
            host: MachineHost(
                accelerator: accelerator.kind, sharedFolderDaemon: sharedFolderDaemon?.path,
                versions: { [connection] in try connection.versions() }))
    }

    /// libvirt's and QEMU's, as in `9.0.0`.
    public func versions() async throws -> (libvirt: String, qemu: String) {
        try await calls.run("asking for versions", timeout: configuration.callTimeout) { [connection] in
            try connection.versions()
        }
    }

    public func close() async {
        _ = try? await withDeadline(.seconds(5), reason: "libvirtTimeout", "tidying up") { [background] in
            await background.waitUntilIdle()
        }
        do {
            try await calls.run("closing libvirt's QEMU driver", timeout: .seconds(5)) { [self] in
                connection.stopEvents(eventRegistration)
            }
        } catch {
            logger.warning("\(error)")
        }
        if place.isOwn { MachineControlGroups.removeEmptyPartition() }
        events.finish()
        machines.abandonAll()
        calls.close()
    }
}
