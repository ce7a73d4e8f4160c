import CarpelAPI
import CarpelCore
import CarpelJSON
import Foundation
import Logging
import Synchronization

/// Turns lines into calls and calls into answers.
final class Dispatcher: Sendable {
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
    func answer(_ line: Data, as role: Role?, _ context: CallContext) async -> Data? {
        do {
            try checkText(line)
            guard line.first(where: { !isWhitespace($0) }) == UInt8(ascii: "[") else {
                return await answerOne(line, as: role, context)
            }
            return try await answerBatch(line, as: role, context)
        } catch {
            return failure(error, id: .null)
        }
    }

    /// The answer to a line that was not kept.
    func answer(to refusal: Line.Refusal) -> Data { failure(refusal.error, id: .null) }

    private func answerBatch(_ line: Data, as role: Role?, _ context: CallContext) async throws -> Data? {
        let text = Array(line)
        let items = try JSONScanner.elements(of: text, in: text.indices)
        guard !items.isEmpty else {
            throw CarpelError(.invalidArgument, "invalidRequest", "a batch must hold at least one request")
        }
        guard items.count <= JSONRPC.maximumBatchLength else {
            throw CarpelError(
                .invalidArgument, "batchTooLong",
                "a batch may hold \(JSONRPC.maximumBatchLength) requests; send the rest after it")
        }
        let requests = items.map { Data(text[$0]) }
        let answers = await withTaskGroup(of: (Int, Data?).self) { group in
            for (index, request) in requests.enumerated() {
                group.addTask { (index, await self.answerOne(request, as: role, context)) }
            }
            return await group.reduce(into: [Int: Data]()) { $0[$1.0] = $1.1 }
        }
        guard !answers.isEmpty else { return nil }
        let joined = answers.sorted { $0.key < $1.key }.map(\.value).joined(separator: Data(",".utf8))
        return Data("[".utf8) + joined + Data("]".utf8)
    }

    private func answerOne(_ line: Data, as role: Role?, _ context: CallContext) async -> Data? {
        var id: JSONRPC.ID?
        do {
            let envelope = try Envelope(line)
            id = envelope.id
            let method = try method(envelope.method, as: role)
            if envelope.isNotification && method.subscribes { return nil }
            warnOfUnknownFields(envelope.method, method, line)
            let answer = try await method.call(line, id ?? .null, context)
            return envelope.isNotification ? nil : answer
        } catch let error as InvalidEnvelope {
            return failure(error.error, id: error.id)
        } catch {
            return id == nil ? nil : failure(error, id: id ?? .null)
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

    /// Only in short messages: of a long one it would take many times the message's memory.
    private func warnOfUnknownFields(_ name: String, _ method: MethodTable.Entry, _ line: Data) {
        guard line.count <= Self.searchedLength,
            let message = try? JSONSerialization.jsonObject(with: line) as? [String: Any],
            let params = message["params"]
        else { return }
        for field in method.unknownFields(params)
        where warned.withLock({ $0.count < 1000 && $0.insert("\(name): \(field)").inserted }) {
            logger.warning("an unknown field is ignored", metadata: ["method": "\(name)", "field": "\(field)"])
        }
    }

    func failure(_ error: any Error, id: JSONRPC.ID) -> Data {
        let error = error as? CarpelError ?? CarpelError.wrapping(error, during: "the call")
        let failure = JSONRPC.Failure(id: id, error: JSONRPC.ErrorObject(error))
        return (try? JSONRPC.encode(failure)) ?? Data()
    }
}

/// The members of a request but for its parameters.
private struct Envelope: Decodable {
    let method: String
    let id: JSONRPC.ID?
    let isNotification: Bool

    private enum CodingKeys: String, CodingKey { case jsonrpc, method, id }

    init(_ line: Data) throws {
        do {
            self = try JSONDecoder().decode(Envelope.self, from: line)
        } catch let error as InvalidEnvelope {
            throw error
        } catch {
            throw InvalidEnvelope(
                CarpelError(
                    .invalidArgument, "invalidRequest",
                    "a request is an object with \"jsonrpc\": \"2.0\", a method and, to be answered, an id"))
        }
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        isNotification = !values.contains(.id)
        id = isNotification ? nil : try values.decode(JSONRPC.ID.self, forKey: .id)
        guard try values.decodeIfPresent(String.self, forKey: .jsonrpc) == JSONRPC.version,
            let method = try values.decodeIfPresent(String.self, forKey: .method)
        else {
            throw InvalidEnvelope(
                CarpelError(
                    .invalidArgument, "invalidRequest",
                    "a request has \"jsonrpc\": \"2.0\" and a method"), id: id ?? .null)
        }
        self.method = method
    }
}

/// A message that is answered although it may have no id.
private struct InvalidEnvelope: Error {
    let error: CarpelError
    let id: JSONRPC.ID

    init(_ error: CarpelError, id: JSONRPC.ID = .null) {
        self.error = error
        self.id = id
    }
}
