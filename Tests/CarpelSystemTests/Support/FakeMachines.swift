import CarpelCore
import CarpelGuestProtocol
import CarpelMachines
import Foundation
import Synchronization

@testable import CarpelRuntime

/// Machines without QEMU: for what the real one cannot be made to do on demand, such as failing at a given step,
/// and to run the pods' state machines in milliseconds. Every scenario that can also runs on the real one.
actor FakeHypervisor: Hypervisor {
    nonisolated let accelerator = AcceleratorChoice(kind: .tcg, reason: "a fake")
    nonisolated let virtualFileSystem = VirtualFileSystem.available
    private(set) var machines: [String: FakeMachine] = [:]
    private var nextProcessID: Int32 = 1_000_000
    /// Holds every start back for ever.
    private let gate = Latch<Void>()
    private var startsAreHeld = false
    private(set) var startsBegun = 0
    private var destroyFailures = 0
    private var guestsAreSilent = false

    func holdStarts() { startsAreHeld = true }
    func silenceGuests() { guestsAreSilent = true }
    func failDestroying(times: Int) { destroyFailures = times }

    func start(_ spec: MachineSpec) async throws -> any Machine {
        startsBegun += 1
        if startsAreHeld { try await gate.wait() }
        nextProcessID += 1
        let machine = FakeMachine(spec, processID: nextProcessID, hypervisor: self)
        machines[spec.id] = machine
        return machine
    }

    func restore(_ spec: MachineSpec, from state: SavedState) async throws -> any Machine { try await start(spec) }
    func reattach() async throws -> [any Machine] { Array(machines.values) }
    func close() async {}

    func destroyed(_ id: String) throws {
        if destroyFailures > 0 {
            destroyFailures -= 1
            throw CarpelError(.internal, "stuck", "the machine cannot be destroyed")
        }
        machines[id] = nil
    }

    func guest(atChannel path: String) -> FakeGuest? {
        guestsAreSilent ? nil : machines.values.first { $0.channelPath == path }?.guest
    }
}

final class FakeMachine: Machine {
    let id: String
    let channelPath: String
    let processID: Int32
    let guest: FakeGuest
    private let hypervisor: FakeHypervisor
    private let disks: Mutex<[String]>
    private let interfaces: Mutex<[String]>
    private let size: Mutex<MachineCapacity>
    private let ended = Latch<MachineEnd>()

    init(_ spec: MachineSpec, processID: Int32, hypervisor: FakeHypervisor) {
        id = spec.id
        channelPath = spec.channelPath
        self.processID = processID
        guest = FakeGuest(machineEnd: ended)
        self.hypervisor = hypervisor
        disks = Mutex(spec.disks.map(\.serial))
        size = Mutex(
            MachineCapacity(
                virtualCPUs: spec.virtualCPUs, maximumVirtualCPUs: spec.maximumVirtualCPUs, memory: spec.guestMemory))
        interfaces = Mutex(spec.interfaces.map { $0.macAddress.lowercased() })
    }

    func attach(_ disk: DiskSpec) async throws {
        disks.withLock { if !$0.contains(disk.serial) { $0.append(disk.serial) } }
    }
    func detach(serial: String) async throws { disks.withLock { $0.removeAll { $0 == serial } } }
    func attachedDisks() async throws -> [String] { disks.withLock { $0 } }
    func resize(serial: String, to size: ByteCount) async throws {}
    func attach(_ interface: InterfaceSpec) async throws {
        let address = interface.macAddress.lowercased()
        interfaces.withLock { if !$0.contains(address) { $0.append(address) } }
    }
    func detach(macAddress: String) async throws {
        interfaces.withLock { $0.removeAll { $0 == macAddress.lowercased() } }
    }
    func attachedInterfaces() async throws -> [String] { interfaces.withLock { $0 } }
    func setLinks(up: Bool) async throws {}
    func attach(_ folder: SharedFolderSpec) async throws {}
    func detachSharedFolder() async throws {}
    func hasSharedFolder() async throws -> Bool { true }
    func pause() async throws {}
    func resume() async throws {}
    func saveState(to descriptor: Int32) async throws { _ = write(descriptor, "state", 5) }
    func shape() async throws -> MachineShape {
        MachineShape(
            qemu: "fake", machineType: "fake", accelerator: .tcg, processor: "", virtualCPUs: 1, maximumVirtualCPUs: 1,
            memoryKibibytes: 1,
            units: [:])
    }

    func capacity() async throws -> MachineCapacity { size.withLock { $0 } }
    func grow(virtualCPUs: Int, guestMemory: ByteCount) async throws -> MachineCapacity {
        try size.withLock { size in
            guard virtualCPUs <= size.maximumVirtualCPUs else {
                throw CarpelError(.resourceExhausted, "machineAtMaximum", "a fake machine is at its maximum")
            }
            size.virtualCPUs = max(size.virtualCPUs, virtualCPUs)
            size.memory = max(size.memory, guestMemory)
            return size
        }
    }
    func usage() async throws -> MachineProcessUsage { MachineProcessUsage() }

    func destroy() async throws {
        try await hypervisor.destroyed(id)
        await ended.set(.destroyed)
    }

    func die() async {
        try? await hypervisor.destroyed(id)
        await ended.set(.died(log: "killed by the test"))
    }

    func end() async -> MachineEnd { (try? await ended.wait()) ?? .unobserved }
    func domainXML() async throws -> String { "<domain/>" }
}

/// An agent that obeys: `exit N` exits with N, anything else runs until it is signalled; `stubborn` ignores SIGTERM, and
/// the creation of `stuck` is not answered before the connection is closed.
final class FakeGuest: Guest {
    private struct State {
        var containers: [String: (spec: ContainerSpec, phase: GuestState.Container.Phase)] = [:]
        var configured = false
        var listener: AsyncStream<GuestEvent>.Continuation?
        var outputs: [String: FakeOutput] = [:]
    }
    private let state = Mutex(State())
    private let closed = Latch<Void>()
    private let machineEnd: Latch<MachineEnd>

    init(machineEnd: Latch<MachineEnd>) { self.machineEnd = machineEnd }

    private let hungUp = Latch<Void>()
    private let isSilent = Mutex(false)

    var events: AsyncStream<GuestEvent> {
        let (stream, continuation) = AsyncStream.makeStream(of: GuestEvent.self)
        state.withLock { $0.listener = continuation }
        return stream
    }

    let openStreams = 0

    func waitUntilClosed() async { try? await closed.wait() }
    func close() async { await hungUp.set(()) }

    func exec(_ spec: ExecSpec) async throws -> GuestProcess {
        throw GuestFailure(.system, "a fake guest runs nothing")
    }

    func output(of container: String, from sequence: UInt64) async throws -> AsyncThrowingStream<
        OutputRecord, any Error
    > {
        let (records, follower) = AsyncThrowingStream.makeStream(of: OutputRecord.self)
        state.withLock { state in
            state.outputs[container, default: FakeOutput()].follow(from: sequence, follower)
            if case .exited? = state.containers[container]?.phase { state.outputs[container]?.end() }
        }
        return records
    }

    /// Has a running container write.
    func write(_ text: String, in container: String) {
        state.withLock { $0.outputs[container, default: FakeOutput()].append(text) }
    }

    /// Forgets the oldest output, as an agent does whose host is away for long.
    func drop(before sequence: UInt64, of container: String) {
        state.withLock { $0.outputs[container]?.drop(before: sequence) }
    }

    /// How many records of a container the host has stored, and said so.
    func released(of container: String) -> UInt64 { state.withLock { $0.outputs[container]?.released ?? 0 } }

    /// Ends a running container.
    func end(_ container: String, code: Int32) {
        state.withLock { exit(container, code, &$0) }
    }

    func follow(_ container: String, from sequence: UInt64) async throws -> GuestOutput { throw Self.writesNothing }
    func attachInput(to container: String, closeAtEnd: Bool) async throws -> GuestInput { throw Self.writesNothing }
    func connect(port: UInt16) async throws -> GuestSocket { throw Self.writesNothing }

    private static let writesNothing = GuestFailure(.system, "a fake guest has no streams of bytes")

    func fallSilent() { isSilent.withLock { $0 = true } }

    @discardableResult
    func call(_ request: GuestRequest) async throws -> GuestResponse {
        if isSilent.withLock({ $0 }) { try await Latch<Void>().wait() }
        if case .createContainer(let spec) = request, spec.process.arguments.first == "stuck" {
            try await hungUp.wait()
            throw CarpelError(.unavailable, "agentGone", "the connection was closed")
        }
        if case .shutdown = request { await machineEnd.set(.poweredOff) }
        return try state.withLock { state in
            switch request {
            case .configure: state.configured = true
            case .createContainer(let spec): state.containers[spec.id] = (spec, .created)
            case .startContainer(let id): return try start(id, &state)
            case .signalContainer(let id, let signal, _): try signalled(id, signal, &state)
            case .removeContainer(let id): state.containers[id] = nil
            case .state: return .state(snapshot(state))
            case .stats: return .stats(stats(state))
            case .updateResources(let id, let resources):
                if (resources.memoryLimit ?? .max) < FakeGuest.memoryInUse {
                    throw GuestFailure(.memoryInUse, "a fake container uses more")
                }
                state.containers[id]?.spec.resources = resources
            case .releaseOutput(let id, let before): state.outputs[id]?.released = before
            default: break
            }
            return .done
        }
    }

    private func snapshot(_ state: State) -> GuestState {
        GuestState(
            agentVersion: "fake", configured: state.configured,
            containers: state.containers.map {
                .init(id: $0, phase: $1.phase, nextOutput: UInt64(state.outputs[$0]?.records.count ?? 0))
            })
    }

    static let memoryInUse: Int64 = 10 << 20

    /// Each container has used a second of CPU more at each asking.
    private func stats(_ state: State) -> GuestStats {
        var usage = CgroupUsage()
        usage.cpu.usage = UInt64(now()) / 1000
        usage.memory.usage = UInt64(Self.memoryInUse)
        usage.memory.inactiveFile = 1 << 20
        usage.memory.limit = 64 << 20
        usage.processes = 3
        let running = state.containers.filter { if case .running = $0.value.phase { true } else { false } }
        return GuestStats(
            time: UInt64(now()), pod: usage, containers: running.keys.sorted().map { .init(id: $0, usage: usage) },
            interfaces: [
                .init(
                    name: "eth0", received: .init(bytes: 1, packets: 2, errors: 3, dropped: 4),
                    sent: .init(bytes: 5, packets: 6, errors: 7, dropped: 8))
            ], machine: .init(onlineCPUs: 1, memoryBytes: 128 << 20, availableMemoryBytes: 64 << 20))
    }

    private func start(_ id: String, _ state: inout State) throws -> GuestResponse {
        guard let container = state.containers[id] else { throw GuestFailure(.notFound, "no container \(id)") }
        let arguments = container.spec.process.arguments
        if arguments.first == "missing" { throw GuestFailure(.commandNotFound, "missing: not found") }
        let since = UInt64(now())
        state.containers[id]?.phase = .running(pid: 7, since: since)
        if arguments.first == "exit" { exit(id, Int32(arguments[1]) ?? 0, &state) }
        return .started(pid: 7, at: since)
    }

    private func signalled(_ id: String, _ signal: Int32, _ state: inout State) throws {
        guard case .running? = state.containers[id]?.phase else { throw GuestFailure(.invalidState, "not running") }
        let stubborn = state.containers[id]?.spec.process.arguments.first == "stubborn"
        if signal == 9 || !stubborn { exit(id, 128 + signal, &state) }
    }

    private func exit(_ id: String, _ code: Int32, _ state: inout State) {
        let status = ExitStatus(code: code, at: UInt64(now()))
        state.containers[id]?.phase = .exited(status, started: status.at)
        state.outputs[id]?.end()
        state.listener?.yield(.containerExited(id: id, status))
    }
}

/// All that a container has written.
private struct FakeOutput {
    private(set) var records: [OutputRecord] = []
    var released: UInt64 = 0
    private var written: UInt64 = 0
    private var dropped = 0
    private var followers: [AsyncThrowingStream<OutputRecord, any Error>.Continuation] = []

    mutating func append(_ text: String) {
        let record = OutputRecord(
            sequence: UInt64(records.count), channel: .stdout, time: UInt64(now()), bytes: Array(text.utf8),
            offset: written)
        records.append(record)
        written += UInt64(text.utf8.count)
        for follower in followers { follower.yield(record) }
    }

    mutating func drop(before sequence: UInt64) { dropped = Int(sequence) }

    mutating func follow(
        from sequence: UInt64, _ follower: AsyncThrowingStream<OutputRecord, any Error>.Continuation
    ) {
        for record in records.dropFirst(max(dropped, Int(sequence))) { follower.yield(record) }
        followers.append(follower)
    }

    mutating func end() {
        for follower in followers { follower.finish() }
        followers = []
    }
}
