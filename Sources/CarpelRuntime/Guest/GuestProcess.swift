import CarpelGuestProtocol

/// A process of an exec. It is killed when nobody holds this any more, or when the connection ends.
public final class GuestProcess: Sendable {
    /// Some of what the process wrote. With a terminal all of it comes as `stdout`.
    public struct Chunk: Sendable, Equatable {
        public var channel: OutputRecord.Channel
        public var bytes: [UInt8]
    }

    public let id: String
    public let pid: Int32
    /// Guest's clock, nanoseconds since 1970.
    public let startedAt: UInt64

    private let stream: GuestStream
    private let connection: GuestConnection

    init(id: String, pid: Int32, startedAt: UInt64, stream: GuestStream, connection: GuestConnection) {
        self.id = id
        self.pid = pid
        self.startedAt = startedAt
        self.stream = stream
        self.connection = connection
    }

    deinit { stream.cancel() }

    /// What the process writes, for one reader, as fast as it is read: a process whose output is not read waits.
    public var output: AsyncThrowingStream<Chunk, any Error> {
        AsyncThrowingStream { [self] in try await next() }
    }

    /// The next of what the process writes, nil behind the last.
    public func next() async throws -> Chunk? {
        guard let data = try await stream.next() else { return nil }
        return Chunk(channel: OutputRecord.Channel(rawValue: data.channel) ?? .stdout, bytes: data.bytes)
    }

    /// Writes to the process's stdin, and waits while the process does not read.
    public func write(_ bytes: [UInt8]) async throws { try await stream.send(bytes) }

    /// Ends the process's stdin. A terminal does not end.
    public func closeInput() async throws { stream.endInput() }

    /// Waits for the end of the process. Its output comes first, so somebody has to read that.
    public func exitStatus() async throws -> ExitStatus {
        switch try await stream.response(1) {
        case .exited(let status): return status
        case .failed(let failure): throw failure
        default: throw GuestFailure(.system, "the agent's second answer to an exec is not its end")
        }
    }

    /// - Throws: `GuestFailure` with `notFound` if the process has ended.
    public func signal(_ number: Int32) async throws { try await connection.call(.signalExec(id: id, signal: number)) }

    public func resize(rows: UInt16, columns: UInt16) async throws {
        try await connection.call(.resizeExec(id: id, rows: rows, columns: columns))
    }

    /// Everything that the process writes until its end; of each channel only the first `limit` bytes.
    public func collectOutput(limit: Int) async throws -> (stdout: [UInt8], stderr: [UInt8]) {
        var stdout: [UInt8] = []
        var stderr: [UInt8] = []
        for try await chunk in output {
            switch chunk.channel {
            case .stdout: stdout.append(contentsOf: chunk.bytes.prefix(limit - stdout.count))
            case .stderr: stderr.append(contentsOf: chunk.bytes.prefix(limit - stderr.count))
            }
        }
        return (stdout, stderr)
    }
}

/// The stdin of a container's first process. Given back when nobody holds this any more.
public final class GuestInput: Sendable {
    private let stream: GuestStream

    init(_ stream: GuestStream) { self.stream = stream }

    deinit { stream.cancel() }

    /// Waits while the container does not read.
    public func write(_ bytes: [UInt8]) async throws { try await stream.send(bytes) }

    /// Nothing more will be written. Whether the container's stdin ends with it was chosen at the opening.
    public func end() async throws { stream.endInput() }
}
