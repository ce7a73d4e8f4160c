import CarpelGuestProtocol
import Glibc

extension Agent {
    func handle(_ request: GuestRequest, on stream: HostStream) {
        do {
            try dispatch(request, on: stream)
        } catch {
            stream.finish(.failed(asFailure(error, "handle a request")))
        }
    }

    private func dispatch(_ request: GuestRequest, on stream: HostStream) throws(GuestFailure) {
        switch request {
        case .configure(let configuration):
            configure(configuration) { stream.finish($0.map { .done }) }
        case .state:
            stream.finish(.state(state))
        case .shutdown:
            shutDown(answering: stream)
        case .createContainer(let spec):
            create(spec) { stream.finish($0.map { .done }) }
        case .startContainer(let id):
            start(try container(id)) { stream.finish($0) }
        case .removeContainer(let id):
            remove(id) { stream.finish($0.map { .done }) }
        case .exec(let spec):
            try exec(spec, on: stream)
        case .followOutput(let id, let sequence):
            try container(id).output.follow(from: sequence, on: stream)
        case .attachInput(let id, let closeAtEnd):
            try attachInput(of: try container(id), closeAtEnd: closeAtEnd, to: stream)
        case .connect(let port):
            connect(to: port, on: stream)
        case .addVolume, .removeVolume, .growVolume, .freezeVolume, .thawVolume, .volumeUsage:
            dispatchVolume(request, on: stream)
        case .configureInterfaces(let interfaces):
            configure(interfaces) { stream.finish($0.map { .done }) }
        case .stats:
            stats { stream.finish(.stats($0)) }
        case .takeUpHardware(let virtualCPUs, let memoryBytes):
            takeUpHardware(virtualCPUs: virtualCPUs, memoryBytes: memoryBytes) { stream.finish($0.map { .done }) }
        case .freezeContainers(let ids):
            freeze(try ids.map { id throws(GuestFailure) in try container(id) }) { stream.finish($0) }
        case .mountSharedFolder(let tag):
            mountSharedFolderLater(tag) { stream.finish($0.map { .done }) }
        case .unmountSharedFolder:
            unmountSharedFolder { stream.finish($0.map { .done }) }
        default:
            try change(request)
            stream.finish(.done)
        }
    }

    private func dispatchVolume(_ request: GuestRequest, on stream: HostStream) {
        let done: (Result<Void, GuestFailure>) -> Void = { stream.finish($0.map { .done }) }
        switch request {
        case .addVolume(let volume): addVolume(volume, done)
        case .removeVolume(let name): removeVolume(name, done)
        case .growVolume(let name): growVolume(name, done)
        case .freezeVolume(let name, let seconds): freezeVolume(name, seconds: seconds, done)
        case .thawVolume(let name): thawVolume(name, done)
        case .volumeUsage(let name): volumeUsage(name) { stream.finish($0.map { .volumeUsage($0) }) }
        default: break
        }
    }

    /// What is done at once and answered with no more than that.
    private func change(_ request: GuestRequest) throws(GuestFailure) {
        switch request {
        case .signalContainer(let id, let signal, let everyProcess):
            try self.signal(try container(id), signal, everyProcess: everyProcess)
        case .signalExec(let id, let signal):
            try runningExec(id).signal(signal)
        case .resizeExec(let id, let rows, let columns):
            try Terminal.resize(try runningExec(id).terminal, rows: rows, columns: columns)
        case .resizeContainer(let id, let rows, let columns):
            try Terminal.resize(try container(id).terminal, rows: rows, columns: columns)
        case .updateResources(let id, let resources):
            try container(id).update(resources)
        case .updatePodResources(let resources):
            try Cgroup.pod.change(resources)
        case .releaseOutput(let id, let sequence):
            try container(id).output.release(before: sequence)
        case .removeInterface(let hardwareAddress):
            try removeInterface(hardwareAddress)
        case .thawContainers(let clock):
            try thawContainers(clock: clock)
        case .restore(let sandbox):
            try restore(sandbox)
        default:
            throw GuestFailure(.unknownRequest, "the agent does not know this request")
        }
    }

    func container(_ id: String) throws(GuestFailure) -> Container {
        guard let container = containers[id] else { throw GuestFailure(.notFound, "there is no container \(id)") }
        return container
    }

    private func runningExec(_ id: String) throws(GuestFailure) -> ExecProcess {
        guard let exec = execs[id] else { throw GuestFailure(.notFound, "there is no exec \(id)") }
        return exec
    }

    private var state: GuestState {
        GuestState(
            agentVersion: Self.version, configured: configuration != nil,
            containers: containers.values.map(\.state).sorted { $0.id < $1.id }, agentResidentBytes: residentBytes,
            volumes: volumes.values.filter(\.isReady).map { .init(volume: $0.volume, isFrozen: $0.isFrozen) }
                .sorted { $0.volume.name < $1.volume.name },
            interfaces: interfaces.values.filter(\.isPresent).map(\.interface).sorted { $0.name < $1.name })
    }

    /// The second field of proc_pid_statm(5), in pages.
    private var residentBytes: UInt64? {
        guard let fields = Files.line("/proc/self/statm")?.split(separator: " "), fields.count > 1 else { return nil }
        return UInt64(fields[1]).map { $0 * UInt64(sysconf(Int32(_SC_PAGESIZE))) }
    }
}
