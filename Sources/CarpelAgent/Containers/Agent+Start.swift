import CLinux
import CarpelGuestProtocol
import Glibc

extension Agent {
    func start(_ container: Container, _ done: @escaping (Result<GuestResponse, GuestFailure>) -> Void) {
        if case .restored(let process) = container.phase, !container.isBeingRemoved {
            return done(goOn(container, process))
        }
        guard case .created = container.phase, !container.isBeingRemoved else {
            let message = "container \(container.spec.id) has been started before"
            return done(.failure(GuestFailure(.invalidState, message)))
        }
        container.phase = .starting
        mountShared(of: container) { [unowned self] failure in
            do throws(GuestFailure) {
                if let failure { throw failure }
                guard !container.isBeingRemoved, containers[container.spec.id] === container else {
                    throw Self.removed
                }
                try launch(container, done)
            } catch {
                container.phase = .created
                done(.failure(error))
            }
        }
    }

    /// Starts a restored container: its processes go on.
    private func goOn(_ container: Container, _ process: LaunchedProcess) -> Result<GuestResponse, GuestFailure> {
        do throws(GuestFailure) {
            try container.thaw()
            let now = Clock.now
            container.phase = .running(process, since: now)
            return .success(.started(pid: process.pid, at: now))
        } catch {
            return .failure(error)
        }
    }

    private static let removed = GuestFailure(.invalidState, "the container has been removed")

    private func launch(
        _ container: Container, _ done: @escaping (Result<GuestResponse, GuestFailure>) -> Void
    ) throws(GuestFailure) {
        let spec = container.spec
        let identity = try UserDatabase(root: container.root.path).resolve(spec.process.user)
        container.identity = identity
        let plan = try ProcessPlan(spec.process, as: identity)
        try joinNamespaces(plan, spec)
        plan.start(in: try container.cgroup.open())
        plan.setOOMScoreAdjustment(container.oomScoreAdjustment)
        plan.makeWorkingDirectory()
        var sources: [MountSource?] = []
        for mount in spec.mounts { sources.append(try source(of: mount, images: container.images)) }
        try ContainerPlan.add(spec, sources: sources, root: container.root.path, to: plan.steps)
        plan.makeNamespaces(CLONE_NEWNS)
        let pipes = try plan.connect(stdin: spec.stdin)
        _ = try LaunchedProcess(plan, loop: loop, table: processes) { [unowned self] process, result in
            done(launched(container, process, result, pipes))
        } exited: { [unowned self] code in
            exited(container, code)
        }
    }

    private func joinNamespaces(_ plan: ProcessPlan, _ spec: ContainerSpec) throws(GuestFailure) {
        switch spec.namespaces.pid {
        case .container: plan.makeNamespaces(CLONE_NEWPID)
        case .pod: plan.start(inPIDNamespace: try podPIDNamespace())
        case .target(let id): plan.start(inPIDNamespace: try pidNamespace(of: container(id).running().pid))
        }
        switch spec.namespaces.ipc {
        case .container: plan.makeNamespaces(CLONE_NEWIPC)
        // The machine's own: nothing else of the machine uses it.
        case .pod: break
        case .target(let id): plan.steps.join(CLONE_NEWIPC, of: try container(id).running().pidfd)
        }
    }

    func pidNamespace(of pid: pid_t) throws(GuestFailure) -> Descriptor {
        Descriptor(try check(open("/proc/\(pid)/ns/pid", O_RDONLY | O_CLOEXEC), "open the pid namespace of \(pid)"))
    }

    /// Made with the first container that wants it.
    private func podPIDNamespace() throws(GuestFailure) -> Descriptor {
        if let podReaper { return try pidNamespace(of: podReaper) }
        let pid = try checkNegative(carpel_spawn_reaper(-1), "make the pod's pid namespace")
        podReaper = pid
        processes.onExit(of: pid) { [unowned self] _ in podReaper = nil }
        return try pidNamespace(of: pid)
    }

    private func launched(
        _ container: Container, _ process: LaunchedProcess, _ result: Result<Void, GuestFailure>,
        _ pipes: ProcessPipes?
    ) -> Result<GuestResponse, GuestFailure> {
        if case .failure(let failure) = result {
            container.phase = .created
            return .failure(failure)
        }
        guard !container.isBeingRemoved, containers[container.spec.id] === container else {
            return .failure(Self.removed)
        }
        let now = Clock.now
        container.phase = .running(process, since: now)
        do throws(GuestFailure) {
            try connectStandard(of: container, process, pipes)
            watchMemory(of: container)
        } catch {
            log.error("container \(container.spec.id) runs without its output: \(error.message)")
        }
        return .success(.started(pid: process.pid, at: now))
    }

    private func connectStandard(
        of container: Container, _ process: LaunchedProcess, _ pipes: ProcessPipes?
    ) throws(GuestFailure) {
        if let pipes {
            container.output.read(pipes.output, as: .stdout, loop: loop)
            container.output.read(pipes.error, as: .stderr, loop: loop)
            container.input = pipes.input.map { ByteSink($0, loop: loop) }
        } else if let terminal = process.terminal {
            container.terminal = terminal
            container.output.read(terminal, as: .stdout, loop: loop)
            if container.spec.stdin { container.input = ByteSink(try duplicate(terminal), loop: loop) }
        }
    }

    private func watchMemory(of container: Container) {
        var seen: UInt64 = 0
        container.memoryWatch = try? files.watch("\(container.cgroup.path)/memory.events") {
            [weak self, weak container] in
            guard let self, let container else { return }
            let kills = container.cgroup.outOfMemoryKills
            guard kills > seen else { return }
            seen = kills
            session?.tell(.containerOutOfMemory(id: container.spec.id))
        }
    }

    private func exited(_ container: Container, _ code: Int32) {
        let since: UInt64
        switch container.phase {
        case .running(_, let started): since = started
        case .restored: since = Clock.now
        case .created, .starting, .exited: return
        }
        let status = ExitStatus(code: code, at: Clock.now, outOfMemory: container.cgroup.outOfMemoryKills > 0)
        container.phase = .exited(status, started: since)
        // In a pid namespace of its own everything has died with the first process; elsewhere it has not.
        container.cgroup.killAll()
        container.input?.close()
        container.input = nil
        container.inputStream?.end()
        container.output.finish()
        session?.tell(.containerExited(id: container.spec.id, status))
    }
}
