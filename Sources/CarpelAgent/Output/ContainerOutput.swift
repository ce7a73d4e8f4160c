import CarpelGuestProtocol

/// What a container writes: read, kept, and told to those who follow.
///
/// While the host is connected nothing is lost: a full buffer makes the container wait until the host has stored
/// some of it. While it is away the oldest records go, since a container must not hang on a host that may be long.
///
/// What the host has stored is kept for followers that have not got it yet, as long as they read: one that has taken
/// nothing for `patience` is left behind, and sees the gap.
final class ContainerOutput {
    private var buffer = OutputBuffer()
    private var sources: [ByteSource] = []
    private var followers: [OutputFollower] = []
    private var isHostConnected: Bool
    /// The container's processes are gone.
    private var isFinishing = false
    /// The host has stored what is below this.
    private var stored: UInt64 = 0
    private var loop: EventLoop?
    private var isWaitingForFollowers = false

    /// Milliseconds.
    private static let patience: UInt64 = 5000

    init(isHostConnected: Bool) { self.isHostConnected = isHostConnected }

    var next: UInt64 { buffer.next }

    /// Everything that will ever be written has been read.
    fileprivate var hasEnded: Bool { isFinishing && !sources.contains { $0.isOpen } }

    func read(_ descriptor: Descriptor, as channel: OutputRecord.Channel, loop: EventLoop) {
        self.loop = loop
        let source = ByteSource(
            descriptor, loop: loop, room: { [weak self] in self?.room ?? 0 },
            deliver: { [weak self] bytes in
                self?.buffer.append(channel, bytes, at: Clock.now)
                self?.pump()
            },
            ended: { [weak self] in self?.pump() })
        sources.append(source)
        source.resume()
    }

    func follow(from sequence: UInt64, on stream: HostStream) {
        let follower = OutputFollower(stream, next: sequence)
        followers.append(follower)
        stream.writable = { [weak self] in self?.pump() }
        stream.cancelled = { [weak self] in
            self?.followers.removeAll { !$0.stream.isOpen }
            self?.forgetStored()
        }
        stream.respond(.done)
        pump()
    }

    func release(before sequence: UInt64) {
        stored = max(stored, sequence)
        forgetStored()
    }

    private func forgetStored() {
        let reading = followers.filter { !$0.hasStalled(for: Self.patience) }
        let needed = reading.map(\.next).min() ?? stored
        buffer.release(before: min(stored, needed))
        resume()
        guard needed < stored, !isWaitingForFollowers, let loop else { return }
        isWaitingForFollowers = true
        loop.after(milliseconds: Self.patience) { [weak self] in
            self?.isWaitingForFollowers = false
            self?.forgetStored()
        }
    }

    func hostChanged(isConnected: Bool) {
        isHostConnected = isConnected
        resume()
    }

    /// The container has exited: reads what is left.
    func finish() {
        isFinishing = true
        for source in sources { source.finish() }
        pump()
    }

    /// Ends it all, whatever is left.
    func close() {
        for source in sources { source.close() }
        let lost = followers
        followers = []
        for follower in lost { follower.stream.end() }
    }

    private var room: Int { isHostConnected ? buffer.room : ByteSource.chunk }

    private func resume() {
        for source in sources { source.resume() }
    }

    private func pump() {
        for follower in followers { follower.pump(buffer, hasEnded: hasEnded) }
        followers.removeAll { !$0.stream.isOpen }
        if buffer.first < stored { forgetStored() }
    }
}

/// One of the host's views of a container's output.
private final class OutputFollower {
    /// What a record's frame holds besides the record's bytes, at most.
    static let overhead = 96

    let stream: HostStream
    private(set) var next: UInt64
    /// When it was first found that it does not take the next record.
    private var stalledSince: UInt64?

    init(_ stream: HostStream, next: UInt64) {
        self.stream = stream
        self.next = next
    }

    func pump(_ buffer: OutputBuffer, hasEnded: Bool) {
        while stream.isOpen, let record = buffer.record(from: next) {
            guard stream.room >= record.bytes.count + Self.overhead else {
                stalledSince = stalledSince ?? Clock.steady
                return
            }
            guard let bytes = try? CBOREncoder().encode(record) else { return }
            stalledSince = nil
            stream.send(bytes, channel: 0)
            next = record.sequence + 1
        }
        if hasEnded { stream.end() }
    }

    func hasStalled(for milliseconds: UInt64) -> Bool {
        stalledSince.map { Clock.steady - $0 >= milliseconds * 1_000_000 } ?? false
    }
}
