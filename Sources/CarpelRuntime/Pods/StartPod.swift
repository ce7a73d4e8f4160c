import CarpelAPI
import CarpelCore
import CarpelGuestProtocol
import CarpelMachines
import Foundation

extension PodSandbox {
    /// Starts the pod in a task of its own, which a stop can cancel and every caller can join.
    ///
    /// - Parameter checkpoint: What it goes on from; nil for a pod that begins.
    /// - Throws: `ALREADY_EXISTS` if the pod has been stopped.
    func start(from checkpoint: RestorePlan? = nil) throws -> Task<Void, any Error> {
        if let assembly { return Task { _ = try await assembly.task.value } }
        switch state {
        case .new: break
        case .starting(let task): return task
        case .ready: return Task {}
        case .stopping, .stopped, .gone:
            throw CarpelError(
                .alreadyExists, "podNameTaken",
                "the pod \(id.prefix(13)) has this name and is stopped; remove it or count up config.metadata.attempt",
                field: "config.metadata")
        }
        record.timeline = []
        let task = Task { try await self.startOrUndo(from: checkpoint) }
        state = .starting(task)
        return task
    }

    /// Takes the pod through its steps; a failure undoes them and, if nothing is left, the pod's record too.
    private func startOrUndo(from checkpoint: RestorePlan?) async throws {
        var undo = UndoStack()
        do {
            let running =
                if let checkpoint {
                    try await takeSteps(from: checkpoint, &undo)
                } else {
                    try await takeSteps(&undo)
                }
            if assembly == nil { try await updateRecord { $0.phase = .ready } }
            becomeReady(running)
        } catch {
            let leftovers = await undo.unwind()
            try await giveUpStart(leftovers, because: error)
            throw CarpelError.wrapping(error, during: "start the pod \(record.config.metadata?.name ?? id)")
        }
    }

    private func takeSteps(_ undo: inout UndoStack) async throws -> RunningPod {
        let paths = environment.paths
        try await step("record") {
            try await environment.store.insert(record)
        }
        try await step("folders") {
            undo.push("the pod's folders") { try PodFolders(paths).remove(self.id) }
            try PodFolders(paths).make(self.id)
        }
        try await step("scratch disk") {
            try await environment.scratch.make(at: paths.scratchDisk(id))
        }
        if !record.networks.isEmpty {
            try await step("network") {
                undo.push("the pod's networks") { try await self.deleteNetworks() }
                try await addNetworks()
            }
        }
        if record.config.carpel?.volumes.isEmpty == false {
            try await step("volumes") {
                undo.push("the pod's volumes") { try await self.unpublishVolumes() }
                try await publishVolumes()
            }
        }
        if sharesFolder {
            try await step("shared folder") { try SharedFolder(paths.sharedFolder(id)).make() }
        }
        let machine = try await step("machine") {
            try await environment.hypervisor.start(machineSpec())
        }
        undo.push("the machine") { try await machine.destroy() }

        let guest = try await step("agent") {
            let timeout = Duration.seconds(environment.configuration.guest.bootTimeoutSeconds)
            return try await connect(to: machine, within: timeout)
        }
        undo.push("the agent's connection") { await guest.close() }

        try await step("sandbox configuration") {
            var configuration = try sandboxConfiguration
            configuration.interfaces = guestInterfaces
            configuration.sharedFolder = sharesFolder ? Self.sharedFolderTag : nil
            try await translated("configure the sandbox") { try await guest.ask(.configure(configuration)) }
            try await addVolumes(to: guest)
        }
        try Task.checkCancellation()
        return RunningPod(machine: machine, guest: guest)
    }

    /// What the agent is told of the pod, but for its cards.
    var sandboxConfiguration: SandboxConfiguration {
        get throws {
            try CarpelRuntime.sandboxConfiguration(
                of: record.config, scratchDisk: ScratchDisks.serial, clock: UInt64(now()), entropy: entropy(),
                addresses: addresses, networkDNS: record.networks.lazy.compactMap(\.attachment?.dns).first)
        }
    }

    /// How long the news of a machine's end may come after the end of its channel.
    private static let endGrace = Duration.milliseconds(500)

    /// Waits for the agent's greeting, or for the machine's end if that comes first.
    func connect(to machine: any Machine, within timeout: Duration) async throws -> any Guest {
        let bootLog = environment.paths.bootLog(id)
        let connectGuest = environment.connectGuest
        return try await withThrowingTaskGroup(of: (any Guest).self) { group in
            group.addTask {
                do {
                    return try await connectGuest(machine.channelPath, timeout)
                } catch let error as CarpelError where error.code == .unavailable {
                    // If the machine has just ended, that says more.
                    try await Task.sleep(for: Self.endGrace)
                    throw error
                }
            }
            group.addTask {
                let end = await machine.end()
                try Task.checkCancellation()
                throw CarpelError(
                    .unavailable, "machineEnded", "the machine ended before its agent answered: \(end); see \(bootLog)")
            }
            defer { group.cancelAll() }
            guard let guest = try await group.next() else { throw CancellationError() }
            return guest
        }
    }

    func machineSpec() -> MachineSpec {
        let guest = environment.configuration.guest
        let paths = environment.paths
        return MachineSpec(
            id: id,
            name: "carpel-\(id.prefix(13))",
            virtualCPUs: record.virtualCPUs,
            guestMemory: ByteCount(record.memoryBytes),
            maximumVirtualCPUs: environment.configuration.pods.maximumVirtualCPUs,
            maximumGuestMemory: environment.configuration.pods.maximumMemory,
            kernel: guest.kernel,
            initramfs: guest.initramfs,
            kernelArguments: GuestKernel.arguments + guest.kernelArguments,
            disks: [
                DiskSpec(
                    serial: ScratchDisks.serial, path: paths.scratchDisk(id), format: .raw, readOnly: false,
                    bus: .virtioBlock)
            ] + volumeDisks,
            interfaces: machineInterfaces,
            sharedFolder: sharesFolder
                ? SharedFolderSpec(tag: Self.sharedFolderTag, path: paths.sharedFolder(id)) : nil,
            channelPath: paths.channel(id),
            bootLogPath: paths.bootLog(id))
    }

    static let sharedFolderTag = "carpel"

    /// Whether the machine can see files of the node.
    var sharesFolder: Bool { environment.hypervisor.virtualFileSystem == .available }

    /// Runs one step of the start and notes how long it took.
    func step<Value: Sendable>(_ name: String, _ body: () async throws -> Value) async throws -> Value {
        try Task.checkCancellation()
        let started = now()
        record.timeline.append(TimelineStep(name: name, startedAt: started))
        let index = record.timeline.count - 1
        do {
            let value = try await body()
            record.timeline[index].durationNanoseconds = now() - started
            return value
        } catch {
            record.timeline[index].durationNanoseconds = now() - started
            record.timeline[index].failure = "\(error)"
            throw error
        }
    }

    private func giveUpStart(_ leftovers: [String], because error: any Error) async throws {
        guard leftovers.isEmpty else {
            state = .stopped
            logger.error("a failed start left something behind", metadata: ["leftovers": "\(leftovers)"])
            try await updateRecord {
                $0.phase = .stopped
                $0.leftovers = leftovers
                $0.failure = "\(error)"
            }
            return
        }
        state = .gone
        try await environment.store.delete(record)
    }

    /// From here on the pod notices by itself what happens in its machine.
    func becomeReady(_ running: RunningPod) {
        state = .ready(running)
        Task { await self.machineEnded(running.machine.end(), of: running.machine) }
        Task { for await event in running.guest.events { await self.guestReported(event) } }
        Task {
            await running.guest.waitUntilClosed()
            await self.guestConnectionLost(of: running.machine)
        }
    }
}

private func entropy() -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return (0..<64).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
}
