import CarpelGuestProtocol

/// A stream that the host has opened with a request.
final class HostStream {
    let id: UInt32
    private unowned let session: HostSession
    private var sendCredit = SendCredit()
    private var receiveCredit = ReceiveCredit()
    fileprivate(set) var isOpen = true

    /// Data of the host. Until somebody sets it, data is consumed and lost.
    var received: (([UInt8]) -> Void)?
    /// The host has nothing more to send.
    var inputEnded: () -> Void = {}
    /// There may be room to send again.
    var writable: () -> Void = {}
    /// The host gave the stream up, or is gone.
    var cancelled: () -> Void = {}

    init(id: UInt32, session: HostSession) {
        self.id = id
        self.session = session
    }

    /// How many bytes of data may be sent now.
    var room: Int { isOpen && !session.isCongested ? sendCredit.available : 0 }

    func respond(_ response: GuestResponse) {
        guard isOpen else { return }
        session.send(response, on: id)
    }

    /// At most `room` bytes.
    func send(_ bytes: [UInt8], channel: UInt8) {
        guard isOpen, !bytes.isEmpty else { return }
        sendCredit.spend(bytes.count)
        session.send(Frame(.data, stream: id, detail: channel, payload: bytes))
    }

    /// Lets the host send as much again.
    func consumed(_ bytes: Int) {
        guard isOpen, let credit = receiveCredit.consume(bytes) else { return }
        session.send(.credit(credit, stream: id))
    }

    func end() {
        guard isOpen else { return }
        session.send(Frame(.end, stream: id))
        isOpen = false
        session.forget(self)
    }

    func finish(_ response: GuestResponse) {
        respond(response)
        end()
    }

    func finish(_ result: Result<GuestResponse, GuestFailure>) {
        switch result {
        case .success(let response): finish(response)
        case .failure(let failure): finish(.failed(failure))
        }
    }
}

extension HostStream {
    /// A frame of the host for this stream.
    func handle(_ frame: Frame) {
        switch frame.kind {
        case .data: takeData(frame.payload)
        case .end: inputEnded()
        case .credit: takeCredit(frame)
        case .reset: cancel()
        case .request, .response, .event: break
        }
    }

    func cancel() {
        guard isOpen else { return }
        isOpen = false
        session.forget(self)
        cancelled()
    }

    private func takeData(_ bytes: [UInt8]) {
        do {
            try receiveCredit.receive(bytes.count)
        } catch {
            return reset()
        }
        if let received { received(bytes) } else { consumed(bytes.count) }
    }

    private func takeCredit(_ frame: Frame) {
        guard let bytes = frame.grantedCredit, (try? sendCredit.grant(bytes)) != nil else { return reset() }
        writable()
    }

    /// The host broke the stream's rules.
    private func reset() {
        session.send(Frame(.reset, stream: id))
        cancel()
    }
}
