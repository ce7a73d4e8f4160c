import CarpelGuestProtocol

extension Agent {
    func attachInput(
        of container: Container, closeAtEnd: Bool, to stream: HostStream
    ) throws(GuestFailure) {
        guard let input = container.input else {
            throw GuestFailure(.invalidState, "the stdin of \(container.spec.id) is not open")
        }
        guard container.inputStream == nil else {
            throw GuestFailure(.alreadyExists, "somebody else writes to the stdin of \(container.spec.id)")
        }
        container.inputStream = stream
        stream.received = { [weak input] in input?.write($0) }
        input.consumed = { [weak stream] in stream?.consumed($0) }
        stream.inputEnded = { [weak container, weak stream] in
            if closeAtEnd { container?.endInput() }
            container?.inputStream = nil
            stream?.end()
        }
        stream.cancelled = { [weak container] in container?.inputStream = nil }
        stream.respond(.done)
    }
}
