import CarpelGuestProtocol
import Glibc

/// The pod's machine, seen from inside: its containers and their processes, at the host's request.
public final class Agent {
    public static let version = "0.1.0"

    let loop: EventLoop
    let log: KernelLog
    let processes: ProcessTable
    let files: FileWatches
    let devices: DeviceWaits
    let layers = Layers()
    let images = ImageStacks()

    var session: HostSession?
    var configuration: SandboxConfiguration?
    var containers: [String: Container] = [:]
    /// Ids that are being created: the disks may not be there yet.
    var creating: Set<String> = []
    var execs: [String: ExecProcess] = [:]
    lazy var writableLayers = WritableLayers(loop: loop, processes: processes)
    var volumes: [String: Volume] = [:]
    /// The network cards that have been set up, by their hardware addresses in lower case.
    var interfaces: [String: ConfiguredInterface] = [:]
    /// Connections to the pod's ports, by their streams.
    var connections: [UInt32: PortConnection] = [:]
    /// The first process of the pod's pid namespace, if a container is in it.
    var podReaper: pid_t?

    private var port: Port?
    private var deviceEvents: DeviceEvents?

    /// Runs the machine until it is powered off.
    public static func main() -> Never {
        let failures = Boot.run()
        let log = KernelLog()
        for failure in failures { log.error(failure.message) }
        do {
            let agent = try Agent(log: log)
            agent.openPort()
            agent.loop.run()
        } catch {
            log.error("cannot start: \(error)")
            // The kernel panics when init ends, and the host notices.
            exit(1)
        }
    }

    private init(log: KernelLog) throws {
        self.log = log
        loop = try EventLoop()
        processes = try ProcessTable(loop: loop)
        files = try FileWatches(loop: loop)
        devices = DeviceWaits(loop: loop)
        deviceEvents = try DeviceEvents(loop: loop) { [unowned self] in
            openPort()
            devices.devicesChanged()
        }
    }

    /// The driver learns the port's name a moment after the port.
    private func openPort() {
        guard port == nil, let path = Port.find() else { return }
        do {
            let port = try Port(path, loop: loop)
            let session = HostSession(port: port, loop: loop, log: log)
            session.portIsStuck = { [unowned self] in loop.later { [unowned self] in restartPort() } }
            session.requested = { [unowned self] in handle($0, on: $1) }
            session.connectionChanged = { [unowned self] in hostChanged(isConnected: $0) }
            self.port = port
            self.session = session
        } catch {
            log.error("cannot open the port to the host: \(asFailure(error, "open").message)")
        }
    }

    private func restartPort() {
        guard let path = port?.path else { return }
        log.error("the port to the host takes nothing any more; its device is restarted")
        session?.disconnect()
        session = nil
        port = nil
        do {
            try Port.restartDevice(of: path)
        } catch {
            log.error("cannot restart the port to the host: \(asFailure(error, "restart").message)")
        }
        openPort()
    }

    var isHostConnected: Bool { session?.isConnected ?? false }

    private func hostChanged(isConnected: Bool) {
        for container in containers.values { container.output.hostChanged(isConnected: isConnected) }
    }
}
