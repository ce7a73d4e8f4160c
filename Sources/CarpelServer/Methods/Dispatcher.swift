import CarpelAPI
import CarpelCore
import CarpelJSON
import Foundation
import Logging
import Synchronization

/// Turns lines into calls and calls into answers.
final class Dispatcher: Sendable {
    /// Bytes of the longest parameters in which unknown fields are looked for: it takes memory.
    private static let searchedLength = 64 << 10

    private let methods: MethodTable
    private let logger: Logger
    /// `Method: field` that a warning has been written about.
    private let warned = Mutex<Set<String>>([])

    init(_ methods: MethodTable, logger: Logger) {
        self.methods = methods
        self.logger = logger
    }

    /// - Returns: the answer's line, or nil where there is none to give, as for notifications.
    func answer(_ line: [UInt8], _ context: CallContext) async -> Data? {
        do {
            try checkText(line)
            guard line.first(where: { !isWhitespace($0) }) == UInt8(ascii: "[") else {
                return await answerOne(line, in: line.indices, context)
            }
            return try await answerBatch(line, context)
        } catch {
            return failure(error, id: .null)
        }
    }

    /// The answer to a line that was not kept.
    func answer(to refusal: Line.Refusal) -> Data { failure(refusal.error, id: .null) }

    private func answerBatch(_ line: [UInt8], _ context: CallContext) async throws -> Data? {
        let requests = try JSONScanner.elements(of: line, in: line.indices)
        guard !requests.isEmpty else {
            throw CarpelError(.invalidArgument, "invalidRequest", "a batch must hold at least one request")
        }
        guard requests.count <= JSONRPC.maximumBatchLength else {
            throw CarpelError(
                .invalidArgument, "batchTooLong",
                "a batch may hold \(JSONRPC.maximumBatchLength) requests; send the rest after it")
        }
        let answers = await withTaskGroup(of: (Int, Data?).self) { group in
            for (index, request) in requests.enumerated() {
                group.addTask { (index, await self.answerOne(line, in: request, context)) }
            }
            return await group.reduce(into: [Int: Data]()) { $0[$1.0] = $1.1 }
        }
        guard !answers.isEmpty else { return nil }
        let joined = answers.sorted { $0.key < $1.key }.map(\.value).joined(separator: Data(",".utf8))
        return Data("[".utf8) + joined + Data("]".utf8)
    }

    private func answerOne(_ line: [UInt8], in range: Range<Int>, _ context: CallContext) async -> Data? {
        var id: JSONRPC.ID?
        do {
            let envelope = try Envelope(line, in: range)
            id = envelope.id
            let method = try method(envelope.method, as: context.role)
            if id == nil && method.subscribes { return nil }
            let answer = try await read(envelope, of: method)(id ?? .null, context)
            return id == nil ? nil : answer
        } catch let error as InvalidEnvelope {
            return failure(error.error, id: error.id)
        } catch {
            return id.map { failure(error, id: $0) }
        }
    }

    private func method(_ name: String, as role: Role?) throws -> MethodTable.Entry {
        guard let method = methods[name] else {
            throw CarpelError(
                .unimplemented, "methodNotFound",
                "there is no method \"\(name.prefix(64))\"; there are \(methods.names.joined(separator: ", "))")
        }
        guard let role, role >= method.role else {
            throw CarpelError(
                .permissionDenied, "roleMissing",
                role == nil
                    ? "this user may not use the socket; add it to the admin group or to socket.viewUsers"
                    : "\(name) needs the role \(method.role.rawValue)")
        }
        return method
    }

    private func read(_ envelope: Envelope, of method: MethodTable.Entry) throws -> MethodTable.Call {
        guard let params = envelope.params, params.count <= Self.searchedLength else {
            return try method.read(envelope.params, nil)
        }
        return try method.read(params) { self.warnOfUnknownField($0, of: envelope.method) }
    }

    private func warnOfUnknownField(_ field: String, of method: String) {
        guard warned.withLock({ $0.count < 1000 && $0.insert("\(method): \(field)").inserted }) else { return }
        logger.warning("an unknown field is ignored", metadata: ["method": "\(method)", "field": "\(field)"])
    }

    func failure(_ error: any Error, id: JSONRPC.ID) -> Data {
        let error = error as? CarpelError ?? CarpelError.wrapping(error, during: "the call")
        let failure = JSONRPC.Failure(id: id, error: JSONRPC.ErrorObject(error))
        return (try? JSONRPC.encode(failure)) ?? Data()
    }
}

/// A request before anything of its parameters is read.
private struct Envelope {
    let method: String
    /// Nil for a notification.
    let id: JSONRPC.ID?
    /// JSON; nil where there are none.
    let params: Data?

    init(_ line: [UInt8], in range: Range<Int>) throws(InvalidEnvelope) {
        let members: [String: Range<Int>]
        do {
            members = try JSONScanner.members(of: line, in: range)
            id = try members["id"].map { try JSONDecoder().decode(JSONRPC.ID.self, from: Data(line[$0])) }
        } catch {
            throw InvalidEnvelope(
                "a request is an object with \"jsonrpc\": \"2.0\", a method and, to be answered, an id")
        }
        let texts = ["jsonrpc", "method"].map { name in
            members[name].flatMap { try? JSONScanner.string(of: line, in: $0) }
        }
        guard texts[0] == JSONRPC.version, let method = texts[1] else {
            throw InvalidEnvelope("a request has \"jsonrpc\": \"2.0\" and a method", id: id ?? .null)
        }
        self.method = method
        params = members["params"].map { Data(line[$0]) }.flatMap { $0 == Data("null".utf8) ? nil : $0 }
    }
}

/// A message that is answered although it may have no id.
private struct InvalidEnvelope: Error {
    let error: CarpelError
    let id: JSONRPC.ID

    init(_ message: String, id: JSONRPC.ID = .null) {
        error = CarpelError(.invalidArgument, "invalidRequest", message)
        self.id = id
    }
}
