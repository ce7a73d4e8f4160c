import CarpelCore
import CarpelMachines

extension PodSandbox {
    /// How long a guest may take to end its processes, write its disks and power off.
    private static let shutdownTimeout = Duration.seconds(5)
    private static let containersTimeout = Duration.seconds(15)

    /// Ends the pod and gives everything back but its record and logs. Joins a stop that is under way.
    func stop() async throws {
        switch state {
        case .new:
            state = .gone
        case .starting(let task):
            task.cancel()
            _ = await task.result
            // The start may have won the race, and another stop may be under way.
            try await stop()
        case .ready where checkpointing != nil:
            checkpointing?.cancel()
            _ = await checkpointing?.result
            try await stop()
        case .ready(let running):
            let task = Task { try await self.stopRunning(running) }
            state = .stopping(task)
            try await task.value
        case .stopping(let task):
            try await task.value
            // After the machine's own end something may be left.
            if case .stopped = state { try await release() }
        case .stopped:
            try await release()
        case .gone:
            break
        }
    }

    private func stopRunning(_ running: RunningPod) async throws {
        do {
            do { try await updateRecord { $0.phase = .stopping } } catch {
                // A full disk must not keep a pod alive that may be what fills it; recovery copes with the old phase.
                logger.error("cannot note that the pod is being stopped", metadata: ["cause": "\(error)"])
            }
            await endContainers(in: running)
            await powerOff(running)
            try await running.machine.destroy()
            await running.guest.close()
            await containersLostMachine("the pod was stopped")
            state = .stopped
            try await release()
        } catch {
            if case .stopping = state { state = .ready(running) }
            throw CarpelError.wrapping(error, during: "stop the pod")
        }
    }

    /// Kills what runs and reads the last of its output; a guest that does not answer in time is left to its end.
    private func endContainers(in running: RunningPod) async {
        try? await withDeadline(Self.containersTimeout, reason: "killTimeout", "end the containers") {
            await self.killContainers(in: running)
            await self.drainAll(from: running)
        }
    }

    private func drainAll(from running: RunningPod) async {
        await withTaskGroup(of: Void.self) { group in
            for id in containers.keys { group.addTask { await self.drain(id, from: running) } }
        }
    }

    private func killContainers(in running: RunningPod) async {
        await withTaskGroup(of: Void.self) { group in
            for (id, container) in containers where container.record.mayRun {
                group.addTask { try? await self.stopContainer(id, graceSeconds: 0, in: running) }
            }
        }
    }

    /// Lets the guest write its disks; a guest that does not answer is destroyed all the same.
    private func powerOff(_ running: RunningPod) async {
        do {
            try await withDeadline(Self.shutdownTimeout, reason: "shutdownTimeout", "the guest's shutdown") {
                try await running.guest.ask(.shutdown)
                _ = await running.machine.end()
            }
        } catch {
            logger.debug("the guest did not power off by itself", metadata: ["cause": "\(error)"])
        }
    }

    /// Gives back what a stopped pod still holds, and notes that it did.
    private func release() async throws {
        if !record.leftovers.isEmpty {
            for machine in try await environment.hypervisor.reattach() where machine.id == id {
                try await machine.destroy()
            }
        }
        let holdsSomething = !record.networks.isEmpty || !record.volumes.isEmpty
        do {
            try await unpublishVolumes()
            try await deleteNetworks()
            try PodFolders(environment.paths).removeRunning(id)
        } catch {
            try? await updateRecord { $0.leftovers = ["\(error)"] }
            throw error
        }
        guard record.phase != .stopped || !record.leftovers.isEmpty || holdsSomething else { return }
        try await updateRecord {
            if $0.phase != .removing { $0.phase = .stopped }
            $0.leftovers = []
        }
    }

    /// Stops the pod if need be and forgets it, its containers and their logs in the pod's own folder. Joins a removal
    /// that is under way.
    func remove() async throws {
        if let removal { return try await removal.value }
        let task = Task {
            defer { removal = nil }
            try await giveBack()
        }
        removal = task
        try await task.value
    }

    private func giveBack() async throws {
        try await stop()
        switch state {
        case .stopped: break
        case .gone: return
        case .new, .starting, .ready, .stopping:
            throw CarpelError(.aborted, "podBusy", "the pod changed while it was removed; try again")
        }
        try await updateRecord { $0.phase = .removing }
        for container in containers.values { container.follower?.task.cancel() }
        try PodFolders(environment.paths).remove(id)
        try await environment.store.deletePod(id)
        containers = [:]
        state = .gone
    }
}
