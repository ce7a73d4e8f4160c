// Both sides read what an older or newer other side has written: keys that they do not know are ignored,
// so that a property that is added later must be optional.

/// What the host asks of the agent. One request opens a stream; the answer comes back on it.
public enum GuestRequest: Codable, Sendable, Equatable {
    /// Must be the first request after a boot or a clone; a repetition with the same content does nothing.
    case configure(SandboxConfiguration)
    /// Mounts the container's root and makes its cgroup. Repeating it for an existing id fails with `alreadyExists`.
    case createContainer(ContainerSpec)
    /// Starts the container's first process. Answers once exec has succeeded or failed.
    case startContainer(id: String)
    /// Sends a signal to the container's first process, or to every process in it.
    case signalContainer(id: String, signal: Int32, everyProcess: Bool)
    /// Kills what is left of the container, unmounts its root, removes its cgroup. Unknown ids succeed.
    case removeContainer(id: String)
    /// Starts a process in a running container. The stream then carries its bytes until its exit.
    case exec(ExecSpec)
    /// Sends a signal to an exec's process and the descendants in its process group.
    case signalExec(id: String, signal: Int32)
    /// Sets the size of an exec's terminal.
    case resizeExec(id: String, rows: UInt16, columns: UInt16)
    /// Sets the size of the terminal of a container's first process.
    case resizeContainer(id: String, rows: UInt16, columns: UInt16)
    /// Opens a stream whose data the container reads as its stdin. Only one at a time.
    /// The stream's end closes the stdin if `closeAtEnd`, and otherwise leaves it to the next attachment.
    case attachInput(container: String, closeAtEnd: Bool)
    /// Changes all of the limits that are given or none. `memoryInUse` if the container uses more than a new limit.
    case updateResources(id: String, resources: ContainerResources)
    /// Follows a container's output from the record `from` on; the stream carries `OutputRecord`s.
    case followOutput(container: String, from: UInt64)
    /// The host has stored every record below `before`: the agent may forget them.
    case releaseOutput(container: String, before: UInt64)
    /// Prepares a volume. A repetition with the same content does nothing; another content fails with `alreadyExists`.
    case addVolume(GuestVolume)
    /// Unmounts a volume and lets go of its disk. Unknown names succeed; `busy` while a container that runs has it,
    /// or it is frozen.
    case removeVolume(name: String)
    /// Grows the volume's file system to its disk, which has become longer.
    case growVolume(name: String)
    /// Writes everything to the volume's disk and holds back all changes, until `thawVolume` or the time is up.
    /// Repeating it starts the time anew.
    case freezeVolume(name: String, timeoutSeconds: UInt32)
    /// Fails with `invalidState` if the volume has thawed by itself meanwhile: what was read of its disk is worthless.
    case thawVolume(name: String)
    case volumeUsage(name: String)
    /// Sets up network cards, those of `configure` or others, once the machine has them.
    case configureInterfaces([SandboxConfiguration.Interface])
    /// Sets a network card down before it is unplugged. Unknown addresses succeed.
    case removeInterface(hardwareAddress: String)
    /// Connects to a TCP port of the pod's own, at 127.0.0.1 and then at ::1. The stream then carries the connection's
    /// bytes. Fails with `connectionRefused` if nobody listens.
    case connect(port: UInt16)
    /// What the pod and its containers use. Writable layers are measured in the background.
    case stats
    /// Takes the CPUs and the memory that the machine has got into use, and answers when it has as much as said:
    /// `memoryBytes` is the whole machine's.
    case takeUpHardware(virtualCPUs: Int, memoryBytes: UInt64)
    /// Limits all containers together.
    case updatePodResources(ContainerResources)
    /// Stops every process of these containers where it is, until `thawContainers`. Answers once all of them stand
    /// still; if they do not, none is left frozen.
    case freezeContainers(ids: [String])
    /// Lets frozen containers go on, but for those that wait for `startContainer` since `restore`. Sets the clock:
    /// the machine may have been paused meanwhile.
    case thawContainers(clock: UInt64)
    /// Makes a pod of its own of a machine that goes on from the saved state of another pod's. Its containers stay
    /// frozen until they are started.
    case restore(RestoredSandbox)
    /// Mounts a virtiofs device that the machine was given after its start. Repeating it does nothing.
    case mountSharedFolder(tag: String)
    /// Lets go of the virtiofs device, before it is unplugged. `busy` while a container has something of it mounted.
    case unmountSharedFolder
    case state
    /// Kills everything, syncs the disks and powers the machine off.
    case shutdown
}

public enum GuestResponse: Codable, Sendable, Equatable {
    case done
    case started(pid: Int32, at: UInt64)
    /// The second answer to `exec`, behind the last of its output.
    case exited(ExitStatus)
    case state(GuestState)
    case volumeUsage(VolumeUsage)
    case stats(GuestStats)
    /// To `freezeContainers`: the sequence number that the next output record of each container will get.
    case frozen(nextOutput: [String: UInt64])
    case failed(GuestFailure)
}

/// What the agent tells without having been asked. Events that nobody hears are not kept:
/// after a reconnect the host asks for `state`.
public enum GuestEvent: Codable, Sendable, Equatable {
    case containerExited(id: String, ExitStatus)
    case containerOutOfMemory(id: String)
}
