import CarpelGuestProtocol
import Glibc

/// A container from its creation to its removal.
final class Container {
    enum Phase {
        case created
        case starting
        case running(LaunchedProcess, since: UInt64)
        /// Running in another pod's machine when its state was saved; frozen, and not started in this one yet.
        case restored(LaunchedProcess)
        case exited(ExitStatus, started: UInt64)
    }

    private(set) var spec: ContainerSpec
    let cgroup: Cgroup
    let root: RootFileSystem
    /// Where the images of its mounts are mounted.
    let images: [[String]: String]
    let output: ContainerOutput
    /// Of the processes that start from now on.
    var oomScoreAdjustment: Int32
    var phase = Phase.created
    var isBeingRemoved = false
    /// Set at its start.
    var identity: UserDatabase.Identity?
    private(set) var isFrozen = false
    /// The writing end of its stdin, while it can be written to.
    var input: ByteSink?
    /// The stream that feeds `input`.
    var inputStream: HostStream?
    var terminal: Descriptor?
    /// Tells that the kernel killed something in it for want of memory.
    var memoryWatch: FileWatch?

    init(spec: ContainerSpec, cgroup: Cgroup, root: RootFileSystem, images: [[String]: String], output: ContainerOutput)
    {
        self.spec = spec
        oomScoreAdjustment = spec.oomScoreAdjustment
        self.cgroup = cgroup
        self.root = root
        self.images = images
        self.output = output
    }

    /// The first process, while it runs.
    func running() throws(GuestFailure) -> LaunchedProcess {
        guard case .running(let process, _) = phase else {
            throw GuestFailure(.invalidState, "container \(spec.id) is not running")
        }
        return process
    }

    /// Changes the limits of its processes; all or none.
    func update(_ resources: ContainerResources) throws(GuestFailure) {
        try cgroup.change(resources)
        guard let adjustment = resources.oomScoreAdjustment else { return }
        oomScoreAdjustment = adjustment
        // One that ends meanwhile needs none.
        for process in cgroup.processes { try? Files.write("\(adjustment)", to: "/proc/\(process)/oom_score_adj") }
    }

    /// Ends the stdin behind what has been written to it.
    func endInput() {
        input?.closeWhenEmpty()
        input = nil
    }

    var state: GuestState.Container {
        let phase: GuestState.Container.Phase =
            switch phase {
            case .created, .starting, .restored: .created
            case .running(let process, let since): .running(pid: process.pid, since: since)
            case .exited(let status, let started): .exited(status, started: started)
            }
        var state = GuestState.Container(id: spec.id, phase: phase, nextOutput: output.next, isFrozen: isFrozen)
        state.user = identity.map { .init(uid: $0.uid, gid: $0.gid, groups: $0.groups) }
        return state
    }
}

extension Container {
    /// Stops its processes; each stands still when the kernel comes to it.
    func freeze() throws(GuestFailure) {
        isFrozen = true
        try cgroup.setFrozen(true)
    }

    func thaw() throws(GuestFailure) {
        try cgroup.setFrozen(false)
        isFrozen = false
    }

    /// From now on it is called `id`, and waits frozen until it is started.
    func becomeRestored(as id: String) throws(GuestFailure) {
        guard isFrozen, case .running(let process, _) = phase else {
            throw GuestFailure(.invalidState, "container \(spec.id) was not frozen when the state was saved")
        }
        spec.id = id
        phase = .restored(process)
    }
}
