import CarpelGuestProtocol

/// The conversation with the host, over as many connections as it takes.
final class HostSession {
    /// Far more than a pod needs; a host that loses count must not eat the machine's memory.
    static let maximumStreams = 4096
    /// The host sends one request's frames after the other; each of these may hold megabytes.
    static let maximumUnfinishedRequests = 16

    /// How long the port may take nothing at all of a new session before it counts as broken.
    private static let patience: UInt64 = 1000

    private let port: Port
    private let loop: EventLoop
    private let log: KernelLog
    private var decoder = FrameDecoder(.agent)
    private let encoder = FrameEncoder()
    private var streams: [UInt32: HostStream] = [:]
    private var requests: [UInt32: MessageAssembler] = [:]
    private(set) var isConnected = false
    private var nonce: [UInt8] = []
    /// A HELLO that was read while the port was still, or again, without a listener. It is answered once there is one:
    /// if that is not the host that sent it, the answer's nonce tells it so, and its own HELLO follows.
    private var early: Hello?

    /// A request, and the stream for its answers.
    var requested: (GuestRequest, HostStream) -> Void = { _, _ in }
    /// The host has come, or gone. Its streams have been cancelled then.
    var connectionChanged: (Bool) -> Void = { _ in }

    /// The port takes nothing although the host is there.
    var portIsStuck: () -> Void = {}

    init(port: Port, loop: EventLoop, log: KernelLog) {
        self.port = port
        self.loop = loop
        self.log = log
        port.received = { [unowned self] in receive($0) }
        port.hostLeft = { [unowned self] in disconnect() }
        port.hostIsThere = { [unowned self] in
            if let early { begin(early) }
        }
        port.drained = { [unowned self] in
            for stream in streams.values { stream.writable() }
        }
    }

    var isCongested: Bool { port.isCongested }

    func send(_ frame: Frame) {
        guard isConnected else { return }
        port.send { encoder.encode(frame, into: &$0) }
    }

    func send(_ response: GuestResponse, on stream: UInt32) {
        guard let bytes = try? CBOREncoder().encode(response) else { return }
        for frame in Frame.message(.response, stream: stream, bytes) { send(frame) }
    }

    /// Tells the host, if it is there.
    func tell(_ event: GuestEvent) {
        guard isConnected, let bytes = try? CBOREncoder().encode(event) else { return }
        for frame in Frame.message(.event, stream: 0, bytes) { send(frame) }
    }

    func forget(_ stream: HostStream) { streams[stream.id] = nil }

    private func receive(_ bytes: ArraySlice<UInt8>) {
        decoder.append(bytes)
        while true {
            do {
                guard let item = try decoder.next() else { return }
                handle(item)
            } catch {
                log.error("the host sent what is no frame (\(error)); waiting for its next session")
                disconnect()
            }
        }
    }

    private func handle(_ item: FrameDecoder.Item) {
        switch item {
        case .hello(let hello) where isConnected && hello.nonce == nonce:
            // A repetition that crossed our answer.
            break
        case .hello(let hello):
            if port.isHungUp { early = hello } else { begin(hello) }
        case .frame where !isConnected:
            // Of a host that has left, or was not answered yet: nobody would hear the answer, and the stream would
            // be in the way of the next host's.
            break
        case .frame(let frame) where frame.kind == .request:
            takeRequest(frame)
        case .frame(let frame):
            streams[frame.stream]?.handle(frame)
        }
    }

    private func begin(_ hello: Hello) {
        disconnect()
        early = nil
        isConnected = true
        nonce = hello.nonce
        port.send { $0 += Hello(nonce: hello.nonce).bytes }
        connectionChanged(true)
        if port.isWaiting { watchPort() }
    }

    /// QEMU (7.2, virtio-serial-bus.c, `discard_throttle_data`) never gives back the buffer that it holds when a
    /// connection ends while the host is slow to read. After as many as the queue is long nothing can be sent.
    private func watchPort() {
        let (session, sent) = (nonce, port.sentInAll)
        loop.after(milliseconds: Self.patience) { [weak self] in
            guard let self, isConnected, nonce == session, port.sentInAll == sent, !port.isHungUp else { return }
            portIsStuck()
        }
    }

    func disconnect() {
        port.discard()
        requests = [:]
        guard isConnected else { return }
        isConnected = false
        let lost = streams
        streams = [:]
        for stream in lost.values { stream.cancel() }
        connectionChanged(false)
    }

    private func takeRequest(_ frame: Frame) {
        let id = frame.stream
        guard id != 0, streams[id] == nil, streams.count < Self.maximumStreams,
            requests[id] != nil || requests.count < Self.maximumUnfinishedRequests
        else {
            return send(Frame(.reset, stream: id))
        }
        do {
            var assembler = requests.removeValue(forKey: id) ?? MessageAssembler(limit: MessageAssembler.maximumRequest)
            guard let message = try assembler.append(frame) else {
                requests[id] = assembler
                return
            }
            open(id, message)
        } catch {
            send(Frame(.reset, stream: id))
        }
    }

    private func open(_ id: UInt32, _ message: [UInt8]) {
        let stream = HostStream(id: id, session: self)
        streams[id] = stream
        do {
            requested(try CBORDecoder().decode(GuestRequest.self, from: message), stream)
        } catch {
            stream.finish(.failed(GuestFailure(.unknownRequest, "the agent does not understand the request: \(error)")))
        }
    }
}
