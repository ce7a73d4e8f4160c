import CarpelCore

/// JSON-RPC 2.0, one message a line. Source: https://www.jsonrpc.org/specification
public enum JSONRPC {
    public static let version = "2.0"
    /// Bytes of a request's line, its end not counted.
    public static let maximumMessageLength = 16 << 20
    /// Bytes of an answer's line: ExecSync's two outputs of 16 MiB, in base64, and room for the rest.
    public static let maximumAnswerLength = 48 << 20
    /// Requests in one batch.
    public static let maximumBatchLength = 256
    /// Nested arrays and objects.
    public static let maximumDepth = 64

    /// A request's id: a string, an integer or null.
    public enum ID: Codable, Hashable, Sendable {
        case string(String)
        case number(Int64)
        case null

        public init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .null
            } else if let number = try? container.decode(Int64.self) {
                self = .number(number)
            } else {
                self = .string(try container.decode(String.self))
            }
        }

        public func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .string(let string): try container.encode(string)
            case .number(let number): try container.encode(number)
            case .null: try container.encodeNil()
            }
        }
    }

    public struct Request<Params: Codable & Sendable>: Codable, Sendable {
        public var jsonrpc: String
        public var id: ID?
        public var method: String
        public var params: Params

        public init(id: ID?, method: String, params: Params) {
            jsonrpc = JSONRPC.version
            self.id = id
            self.method = method
            self.params = params
        }
    }

    public struct Success<Result: Codable & Sendable>: Codable, Sendable {
        public var jsonrpc = JSONRPC.version
        public var id: ID
        public var result: Result

        public init(id: ID, result: Result) {
            self.id = id
            self.result = result
        }
    }

    public struct Failure: Codable, Sendable {
        public var jsonrpc = JSONRPC.version
        public var id: ID
        public var error: ErrorObject

        public init(id: ID, error: ErrorObject) {
            self.id = id
            self.error = error
        }
    }

    public struct ErrorObject: Codable, Sendable, Equatable {
        public struct Details: Codable, Sendable, Equatable {
            /// One of gRPC's canonical names.
            public var code: String
            public var reason: String
            public var field: String?
        }
        public var code: Int
        public var message: String
        public var data: Details

        public init(_ error: CarpelError) {
            code = ErrorNumber(error).rawValue
            message = error.message
            data = Details(code: error.code.rawValue, reason: error.reason, field: error.field)
        }

        /// The error as the client's side throws it.
        public var error: CarpelError {
            CarpelError(CarpelError.Code(rawValue: data.code) ?? .unknown, data.reason, message, field: data.field)
        }
    }

    /// JSON-RPC's reserved numbers, and one for every error of a method.
    public enum ErrorNumber: Int, Sendable {
        case parseError = -32700
        case invalidRequest = -32600
        case methodNotFound = -32601
        case invalidParams = -32602
        case internalError = -32603
        case methodFailed = -32000

        init(_ error: CarpelError) {
            switch error.reason {
            case "parseError", "messageTooLong", "nestedTooDeep": self = .parseError
            case "invalidRequest": self = .invalidRequest
            case "methodNotFound": self = .methodNotFound
            case "invalidParams": self = .invalidParams
            default: self = error.code == .internal ? .internalError : .methodFailed
            }
        }
    }
}
