import CarpelAPI
import CarpelCore
import CarpelRuntime
import Foundation

/// Who calls, and what a method can do to its caller beside answering.
struct CallContext: Sendable {
    /// Nil for somebody who may not call anything.
    let role: Role?
    /// Sends a notification on the caller's connection; a caller that does not read loses it.
    let notify: @Sendable (_ method: String, _ params: any ProtoMessage) -> Void
    /// The subscriptions of the caller's connection.
    var subscriptions: CallSubscriptions?
    /// Set where the connection may become a byte stream.
    var opening: StreamOpening?
}

/// The socket's methods by name.
struct MethodTable: Sendable {
    /// Calls a method whose parameters have been read, and encodes its answer.
    typealias Call = @Sendable (_ id: JSONRPC.ID, _ context: CallContext) async throws -> Data

    struct Entry: Sendable {
        let role: Role
        /// Reads a request's parameters; none are an empty message.
        let read: @Sendable (_ params: Data?, _ unknownField: (@Sendable (_ path: String) -> Void)?) throws -> Call
        /// Whether items follow the answer. A notification of it means nothing, since nobody would know their
        /// subscription.
        var subscribes = false
    }

    private var entries: [String: Entry] = [:]

    subscript(name: String) -> Entry? { entries[name] }
    var names: [String] { entries.keys.sorted() }

    mutating func add<Request, Response>(
        _ method: Method<Request, Response>,
        _ body: @escaping @Sendable (Request, CallContext) async throws -> Response
    ) {
        entries[method.name] = Entry(
            role: method.role,
            read: { params, unknownField in
                let request = try Request(params: params, unknownField)
                return { id, context in
                    try JSONRPC.encode(JSONRPC.Success(id: id, result: try await body(request, context)))
                }
            })
    }

    /// A method that answers with a subscription, for the items that `body` gives.
    mutating func add<Request, Item>(
        _ method: StreamMethod<Request, Item>,
        _ body: @escaping @Sendable (Request, CallContext) async throws -> ItemStream<Item>
    ) {
        entries[method.name] = Entry(
            role: method.role,
            read: { params, unknownField in
                let request = try Request(params: params, unknownField)
                return { id, context in
                    let items = try await body(request, context)
                    let subscription = try context.subscriptions?.add(method.name, items)
                    let answer = SubscriptionResponse { $0.subscription = subscription ?? "" }
                    return try JSONRPC.encode(JSONRPC.Success(id: id, result: answer))
                }
            },
            subscribes: true)
    }

    /// A method that streams a list in parts of a bounded size, each of which has some of its elements in `field`.
    mutating func add<Request, Part, Element: ProtoMessage>(
        _ method: StreamMethod<Request, Part>, listing field: WritableKeyPath<Part, [Element]> & Sendable,
        _ body: @escaping @Sendable (Request, CallContext) async throws -> [Element]
    ) {
        add(method) { request, context in
            let list = PartedList(try await body(request, context))
            return ItemStream(making: { try list.next().map { part in Part { $0[keyPath: field] = part } } })
        }
    }
}

extension ProtoMessage {
    fileprivate init(params: Data?, _ unknownField: (@Sendable (_ path: String) -> Void)?) throws {
        guard let params else {
            self.init()
            return
        }
        do {
            try self.init(json: params, unknownField: unknownField)
        } catch let error as DecodingError {
            throw CarpelError(invalidParams: error)
        }
    }
}

extension JSONRPC {
    static func encode(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
        return try encoder.encode(value)
    }
}

extension CarpelError {
    fileprivate init(invalidParams error: DecodingError) {
        let (context, what): (DecodingError.Context, String) =
            switch error {
            case .typeMismatch(let type, let context): (context, "must be \(Self.jsonName(of: type))")
            case .valueNotFound(_, let context): (context, "must not be null")
            case .keyNotFound(let key, let context): (context, "lacks \(key.stringValue)")
            case .dataCorrupted(let context): (context, context.debugDescription)
            @unknown default: (DecodingError.Context(codingPath: [], debugDescription: ""), "cannot be read")
            }
        let path = context.codingPath.jsonPath
        self.init(
            .invalidArgument, "invalidParams", "\(path.isEmpty ? "params" : path) \(what)",
            field: path.isEmpty ? nil : path)
    }

    private static func jsonName(of type: Any.Type) -> String {
        switch type {
        case is String.Type: "a string"
        case is Bool.Type: "true or false"
        case is any FixedWidthInteger.Type: "a whole number"
        case is [Any].Type: "an array"
        default: String(describing: type).hasPrefix("Array") ? "an array" : "an object"
        }
    }
}
