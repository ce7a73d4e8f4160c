import CarpelCore
import CarpelGuestProtocol
import CarpelMachines

extension Runtime {
    /// Brings the records and what runs on the node together after a start of the daemon.
    ///
    /// What was half made is undone, what was half stopped or removed is finished, what runs is picked up.
    func recover() async throws {
        var machines: [String: any Machine] = [:]
        for machine in try await environment.hypervisor.reattach() { machines[machine.id] = machine }
        let records = try environment.store.pods()
        await withTaskGroup(of: Void.self) { group in
            for (record, containers) in records {
                let pod = PodSandbox(record, containers: containers, in: environment)
                add(pod, name: record.name)
                let machine = machines.removeValue(forKey: record.id)
                group.addTask { await self.recover(pod, machine) }
            }
        }
        await collectOrphans(Array(machines.values))
        await collectDisks()
        await collectNetworks()
        await collectPublications()
        environment.events.endFindings()
        startTellingChanges()
    }

    /// Disks that outlived their image for a container's sake, and those of pulls that were cut short.
    private func collectDisks() async {
        guard environment.store.unreadable.isEmpty else { return }
        do { try await images.collectGarbage(inUse: await layersInUse()) } catch {
            logger.error("cannot collect the disks of removed images", metadata: ["cause": "\(error)"])
        }
    }

    private func recover(_ pod: PodSandbox, _ machine: (any Machine)?) async {
        await pod.holdEvents()
        do {
            try await pod.recover(machine)
        } catch {
            pod.logger.error("cannot recover the pod; a removal will try again", metadata: ["cause": "\(error)"])
            await pod.noteLeftover(error)
        }
        await pod.releaseEvents()
        if case .gone = await pod.state { forget(pod.id) }
    }

    /// Machines that bear this node's mark and have no record: a removal was cut short after its record was gone.
    /// Nothing is touched while a record cannot be read, since that may be theirs.
    private func collectOrphans(_ machines: [any Machine]) async {
        for machine in machines {
            guard environment.store.unreadable.isEmpty else {
                logger.error("a machine has no record and is left alone", metadata: ["pod": "\(machine.id)"])
                continue
            }
            logger.warning("ending a machine that has no record", metadata: ["pod": "\(machine.id)"])
            try? await machine.destroy()
            try? PodFolders(environment.paths).remove(machine.id)
        }
    }
}

extension PodSandbox {
    private static let reconnectTimeout = Duration.seconds(30)

    func recover(_ machine: (any Machine)?) async throws {
        try removeUnfinishedCheckpoint()
        switch record.phase {
        case .creating:
            try await machine?.destroy()
            state = .stopped
            try await remove()
        case .removing:
            try await machine?.destroy()
            try await remove()
        case .stopping, .stopped:
            try await machine?.destroy()
            await containersLostMachine(record.failure.isEmpty ? "the pod was stopped" : record.failure)
            try await stop()
        case .ready:
            guard let machine else { return try await recoverWithoutMachine() }
            try await pickUp(machine)
        }
    }

    private func recoverWithoutMachine() async throws {
        await containersLostMachine("the machine was gone when carpeld started")
        try await updateRecord {
            $0.phase = .stopped
            $0.failure = "the machine was gone when carpeld started"
        }
        try PodFolders(environment.paths).removeRunning(id)
        await finishContainers()
    }

    private func pickUp(_ machine: any Machine) async throws {
        do {
            // A checkpoint that was cut short has paused it.
            try await machine.resume()
            let guest = try await connect(to: machine, within: Self.reconnectTimeout)
            try await adopt(guest, of: machine)
            try await finishNetworks(of: machine)
            await finishGrowth(of: machine)
        } catch {
            try await machine.destroy()
            await containersLostMachine("the agent did not answer after a start of carpeld")
            state = .stopped
            try await updateRecord {
                $0.phase = .stopped
                $0.failure = "the agent did not answer after a start of carpeld: \(error)"
            }
            throw error
        }
        await finishContainers()
    }

    /// Undoes containers that were half made, and finishes removals. What cannot be finished harms no other container.
    private func finishContainers() async {
        for (id, container) in containers {
            switch container.record.phase {
            case .creating, .removing:
                do { try await removeContainer(id) } catch {
                    logger.error(
                        "cannot finish a removal; RemoveContainer will try again",
                        metadata: ["container": "\(id.prefix(13))", "cause": "\(error)"])
                }
            default: break
            }
        }
    }
}
