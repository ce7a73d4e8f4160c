import CarpelCore
import CarpelGuestProtocol
import CarpelMachines

extension PodSandbox {
    func guestReported(_ event: GuestEvent) async {
        switch event {
        case .containerExited(let id, let status):
            // In a task of its own: nobody's end waits for another's output.
            Task { await self.containerEnded(id, status) }
        case .containerOutOfMemory(let id):
            logger.warning("a process was killed for lack of memory", metadata: ["container": "\(id.prefix(13))"])
        }
    }

    /// The machine is gone: nobody stopped it, so the pod is not ready any more and says why, before its containers are
    /// seen to have exited.
    func machineEnded(_ end: MachineEnd, of machine: any Machine) {
        guard end != .unobserved, case .ready(let running) = state,
            running.machine.processID == machine.processID
        else { return }
        logger.error("the machine ended", metadata: ["end": "\(end)"])
        record.failure = "the machine ended: \(end)"
        state = .stopping(Task { await self.putAway(running, after: end) })
    }

    /// What cannot be given back is left to the next stop or removal.
    private func putAway(_ running: RunningPod, after end: MachineEnd) async {
        do { try await updateRecord { $0.phase = .stopped } } catch {
            logger.error("cannot note that the machine ended", metadata: ["cause": "\(error)"])
        }
        await running.guest.close()
        await containersLostMachine("\(end)")
        do {
            try await running.machine.destroy()
            try PodFolders(environment.paths).removeRunning(id)
        } catch {
            logger.error("cannot put away an ended machine", metadata: ["cause": "\(error)"])
            await noteLeftover(error)
        }
        state = .stopped
    }

    /// How long a machine may live without its agent's answer.
    private static let reconnectTimeout = Duration.seconds(30)

    /// A machine can live without its connection, as it does while the daemon is away: connect again.
    func guestConnectionLost(of machine: any Machine) async {
        let deadline = ContinuousClock.now + Self.reconnectTimeout
        while isReady(on: machine) {
            logger.warning("lost the agent's connection; connecting again")
            do {
                let guest = try await connect(to: machine, within: Self.reconnectTimeout)
                return try await adopt(guest, of: machine) { self.isReady(on: machine) }
            } catch {
                guard isReady(on: machine), ContinuousClock.now > deadline else { continue }
                logger.error("the agent does not answer; ending the machine", metadata: ["cause": "\(error)"])
                try? await machine.destroy()
                return
            }
        }
    }

    private func isReady(on machine: any Machine) -> Bool {
        guard case .ready(let running) = state else { return false }
        return running.machine.processID == machine.processID
    }

    /// Stops following the machine, which runs on.
    func letGo() async {
        guard case .ready(let running) = state else { return }
        for container in containers.values { container.follower?.task.cancel() }
        holdEvents()
        state = .stopped
        await running.guest.close()
    }

    /// Takes over a guest that has been running without us: asks what happened and follows on.
    ///
    /// - Parameter isWanted: asked after each wait; a pod that was stopped meanwhile stays stopped.
    func adopt(
        _ guest: any Guest, of machine: any Machine, while isWanted: () -> Bool = { true }
    ) async throws {
        guard case .state(let guestState) = try await guest.ask(.state, within: .seconds(10)) else {
            throw CarpelError(.internal, "unexpectedAnswer", "the agent did not answer with its state")
        }
        guard isWanted() else { return await guest.close() }
        state = .ready(RunningPod(machine: machine, guest: guest))
        await reconcile(with: guestState)
        // What a checkpoint froze that nobody ended. Restored containers stay so until they are started.
        if checkpointing == nil, guestState.containers.contains(where: { $0.isFrozen == true && $0.phase != .created })
        {
            try await guest.ask(.thawContainers(clock: UInt64(now())))
        }
        guard isReady(on: machine) else { return await guest.close() }
        becomeReady(RunningPod(machine: machine, guest: guest))
    }
}
