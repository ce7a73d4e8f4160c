import CarpelGuestProtocol
import Glibc

/// A process beside a container's first one, its bytes on the stream of its request. It ends with its stream.
final class ExecProcess {
    let id: String
    private let stream: HostStream
    private let loop: EventLoop
    private var process: LaunchedProcess?
    private(set) var terminal: Descriptor?
    private var sources: [ByteSource] = []
    private var input: ByteSink?
    private var status: ExitStatus?
    private var isAbandoned = false
    private let ended: (ExecProcess) -> Void

    init(id: String, stream: HostStream, loop: EventLoop, ended: @escaping (ExecProcess) -> Void) {
        self.id = id
        self.stream = stream
        self.loop = loop
        self.ended = ended
        stream.cancelled = { [weak self] in self?.abandon() }
        stream.writable = { [weak self] in self?.sources.forEach { $0.resume() } }
    }

    /// Reaches the process and those of its descendants that stayed in its process group.
    func signal(_ number: Int32) throws(GuestFailure) {
        guard let process, status == nil else { throw GuestFailure(.notFound, "exec \(id) does not run") }
        if kill(-process.pid, number) < 0 { try process.signal(number) }
    }

    /// The process has become its program.
    func run(_ process: LaunchedProcess, pipes: ProcessPipes?) {
        self.process = process
        do throws(GuestFailure) {
            if let pipes {
                read(pipes.output, .stdout)
                read(pipes.error, .stderr)
                if let input = pipes.input { feed(input, closes: true) }
            } else if let terminal = process.terminal {
                self.terminal = terminal
                feed(try duplicate(terminal), closes: false)
                read(terminal, .stdout)
            }
        } catch {
            abandon()
        }
        stream.respond(.started(pid: process.pid, at: Clock.now))
        if isAbandoned { killAll() }
        for source in sources { source.resume() }
    }

    func exited(_ code: Int32, outOfMemory: Bool) {
        status = ExitStatus(code: code, at: Clock.now, outOfMemory: outOfMemory)
        input?.close()
        for source in sources { source.finish() }
        finishIfDone()
    }

    private func read(_ descriptor: Descriptor, _ channel: OutputRecord.Channel) {
        sources.append(
            ByteSource(
                descriptor, loop: loop, room: { [stream] in stream.room },
                deliver: { [stream] in stream.send(Array($0), channel: channel.rawValue) },
                ended: { [weak self] in self?.finishIfDone() }))
    }

    /// - Parameter closes: Whether the end of the host's data is one of the process's stdin; a terminal has none.
    private func feed(_ descriptor: Descriptor, closes: Bool) {
        let sink = ByteSink(descriptor, loop: loop)
        input = sink
        sink.consumed = { [stream] in stream.consumed($0) }
        stream.received = { [weak sink] in sink?.write($0) }
        if closes { stream.inputEnded = { [weak sink] in sink?.closeWhenEmpty() } }
    }

    private func finishIfDone() {
        guard let status, !sources.contains(where: { $0.isOpen }) else { return }
        stream.finish(.exited(status))
        ended(self)
    }

    /// Nobody is there any more to hear from it.
    private func abandon() {
        isAbandoned = true
        for source in sources { source.close() }
        input?.close()
        killAll()
        finishIfDone()
    }

    /// The process and those of its descendants that stayed in its process group.
    private func killAll() {
        guard let process, status == nil else { return }
        kill(-process.pid, SIGKILL)
        try? process.signal(SIGKILL)
    }
}
