import CarpelAPI
import CarpelCore
import CarpelGuestProtocol
import CarpelImages
import CarpelMachines
import CarpelPlugins
import Foundation
import Logging

/// A pod's life: its machine, its containers, and what is on disk about them.
///
/// The verbs are in the files of their names.
actor PodSandbox {
    enum State {
        /// Nothing has been done yet.
        case new
        /// Cancelling the task undoes what was started.
        case starting(Task<Void, any Error>)
        case ready(RunningPod)
        case stopping(Task<Void, any Error>)
        case stopped
        /// Removed, or undone after a failed start: no record is left.
        case gone
    }

    nonisolated let id: String
    nonisolated let environment: PodEnvironment
    nonisolated let logger: Logger
    var record: PodRecord { didSet { tellChanges() } }
    var state: State { didSet { tellChanges() } }
    var containers: [String: Container] = [:] { didSet { tellChanges() } }
    var told: ToldPod
    /// Under way: joined by a repetition.
    var assembly: Assembly?
    /// Under way: joined by a repetition.
    var removal: Task<Void, any Error>?
    /// Under way: what starts a container waits for its end.
    var checkpointing: Task<Void, any Error>?
    var cpuRates = CPURates()
    private var lastDeviceOperation: Task<Void, Never>?
    private var lastWrite: Task<Void, any Error>?

    init(_ record: PodRecord, containers: [ContainerRecord] = [], in environment: PodEnvironment) {
        id = record.id
        self.record = record
        self.environment = environment
        var logger = environment.logger
        logger[metadataKey: "pod"] = "\(record.id.prefix(13))"
        self.logger = logger
        state = record.phase == .creating ? .new : .stopped
        told = ToldPod(record, containers)
        for container in containers { self.containers[container.id] = Container(container) }
    }

    /// The machine and its agent.
    /// - Throws: `FAILED_PRECONDITION` if the pod is not ready.
    func running() throws -> RunningPod {
        guard case .ready(let running) = state else {
            throw CarpelError(
                .failedPrecondition, "podNotReady",
                "the pod \(record.config.metadata?.name ?? id) is not ready; start a new one with RunPodSandbox")
        }
        return running
    }

    func container(_ id: String) throws -> Container {
        guard let container = containers[id] else { throw CarpelError.containerNotFound(id) }
        return container
    }

    /// Changes a container's record in memory and on disk.
    func update(_ containerID: String, _ change: (inout ContainerRecord) -> Void) async throws {
        guard var container = containers[containerID] else { return }
        change(&container.record)
        containers[containerID] = container
        let (store, record) = (environment.store, container.record)
        try await inOrder { try await store.update(record) }
    }

    func updateRecord(_ change: (inout PodRecord) -> Void) async throws {
        change(&record)
        let (store, record) = (environment.store, record)
        try await inOrder { try await store.update(record) }
    }

    /// Whole rows are written: an older one must not overtake a newer one.
    private func inOrder(_ write: @escaping @Sendable () async throws -> Void) async throws {
        let previous = lastWrite
        let task = Task {
            _ = await previous?.result
            try await write()
        }
        lastWrite = task
        try await task.value
    }

    /// What could not be given back is tried again with the next stop or removal.
    func noteLeftover(_ error: any Error) async {
        if case .new = state { state = .stopped }
        try? await updateRecord { $0.leftovers.append("the machine: \(error)") }
    }

    /// Runs what plugs devices in and out one after the other.
    func serialisingDevices<Value: Sendable>(
        _ operation: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let previous = lastDeviceOperation
        let task = Task {
            await previous?.value
            return try await operation()
        }
        lastDeviceOperation = Task { _ = await task.result }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }

    /// Diff ids of every layer that a container of this pod stands on.
    var layersInUse: Set<String> { Set(containers.values.flatMap(\.record.layers)) }
}

/// What every pod of a node shares.
struct PodEnvironment: Sendable {
    let store: Store
    let hypervisor: any Hypervisor
    let images: ImageStore
    let plugins: Plugins
    let paths: NodePaths
    let scratch: ScratchDisks
    let configuration: DaemonConfiguration
    let connectGuest: @Sendable (_ channel: String, _ timeout: Duration) async throws -> any Guest
    let logger: Logger
    var events = NodeEvents()
}

/// A container of a pod, in memory.
struct Container {
    var record: ContainerRecord
    /// Set when the container's process runs, for those who attached before.
    let started = Latch<Void>()
    /// Its stdin, while somebody is attached to it.
    weak var input: ContainerInput?
    /// Set when the container has exited.
    let exit = Latch<ContainerRecord.Exit>()
    /// Under way: joined by a repetition of the same request.
    var creation: Task<Void, any Error>?
    /// Under way: an exit that overtakes its end waits for it.
    var start: Task<Void, any Error>?
    /// Under way: joined by a repetition.
    var removal: Task<Void, any Error>?
    /// Who its first process is, as far as the guest has been asked.
    var user: GuestState.ProcessIdentity?
    /// Copies what the container writes into its log; ends after the last byte.
    var follower: LogFollower?
    /// While it is followed.
    var log: ContainerLog?
    /// Why its output waits for its log; nil if it does not.
    var logFailure: String?
    var losses = LossReport()
    /// Set while a loss is to be told later.
    var lossTimer: Task<Void, Never>?

    init(_ record: ContainerRecord) { self.record = record }
}

/// Nanoseconds since 1970.
func now() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// 256 random bits in hexadecimal, as CRI's runtimes name pods and containers.
func makeID() -> String {
    var generator = SystemRandomNumberGenerator()
    return (0..<4).map { _ in
        let digits = String(generator.next(), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
}
