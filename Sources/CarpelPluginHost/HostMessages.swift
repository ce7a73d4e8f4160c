import CarpelJSON

/// What the daemon sends: JSON-RPC 2.0, one message a line.
enum HostMessage {
    case start(id: Int64, StartRequest)
    case call(CallRequest)
    /// The caller no longer wants the answer of the call with this id.
    case cancel(call: Int64)

    /// - Throws: `JSONScanner.Malformed`; the daemon and its host are of one version, so that it is neither's fault.
    init(line: [UInt8]) throws {
        let message = try JSONObject(line, in: line.indices)
        let params = try message.object("params")
        switch try message.string("method") {
        case "start": self = .start(id: try message.integer("id"), try StartRequest(params))
        case "call": self = .call(try CallRequest(id: try message.integer("id"), params))
        case "cancel": self = .cancel(call: try params.integer("id"))
        default: throw JSONScanner.Malformed()
        }
    }
}

/// What the host is to become, and what it is to load.
struct StartRequest {
    struct Account {
        let user: UInt32
        let group: UInt32
    }

    /// The name in the manifest.
    let name: String
    let library: String
    let stateFolder: String
    let machineGroup: UInt32
    /// nil: the host stays who it is, which must not be root.
    let account: Account?
    /// `CAP_NET_ADMIN`
    let capabilities: [String]
    /// The syscall filter: `struct sock_filter`s as they lie in memory, in hexadecimal digits.
    let seccompProgram: String
    /// A JSON object.
    let configuration: [UInt8]

    init(_ params: JSONObject) throws {
        name = try params.string("name")
        library = try params.string("library")
        stateFolder = try params.string("stateFolder")
        machineGroup = try params.integer("machineGroup")
        account = try params.objectIfPresent("account").map {
            Account(user: try $0.integer("user"), group: try $0.integer("group"))
        }
        capabilities = try params.strings("capabilities")
        seccompProgram = try params.string("seccompProgram")
        configuration = try params.text("configuration")
    }
}

/// One call of the plugin.
struct CallRequest: Equatable {
    let id: Int64
    let verb: String
    /// Nanoseconds of CLOCK_MONOTONIC.
    let deadline: UInt64
    /// What the plugin gets: `request` of the message, or any bytes that `requestBytes` holds in hexadecimal digits.
    let request: [UInt8]

    init(id: Int64, _ params: JSONObject) throws {
        self.id = id
        verb = try params.string("verb")
        deadline = try params.integer("deadline")
        if let digits = try params.stringIfPresent("requestBytes") {
            request = try hexadecimalBytes(digits)
        } else {
            request = try params.text("request")
        }
    }
}

/// The bytes that pairs of hexadecimal digits stand for.
func hexadecimalBytes(_ digits: String) throws -> [UInt8] {
    let digits = try digits.utf8.map { digit -> UInt8 in
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: throw JSONScanner.Malformed()
        }
    }
    guard digits.count % 2 == 0 else { throw JSONScanner.Malformed() }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

/// An object of a message.
struct JSONObject {
    private let bytes: [UInt8]
    private let members: [String: Range<Int>]

    init(_ bytes: [UInt8], in range: Range<Int>) throws {
        self.bytes = bytes
        members = try JSONScanner.members(of: bytes, in: range)
    }

    func object(_ name: String) throws -> JSONObject { try JSONObject(bytes, in: member(name)) }
    func string(_ name: String) throws -> String { try JSONScanner.string(of: bytes, in: member(name)) }
    func text(_ name: String) throws -> [UInt8] { Array(bytes[try member(name)]) }

    func integer<Integer: FixedWidthInteger>(_ name: String) throws -> Integer {
        try JSONScanner.integer(of: bytes, in: member(name))
    }

    func strings(_ name: String) throws -> [String] {
        try JSONScanner.elements(of: bytes, in: member(name)).map { try JSONScanner.string(of: bytes, in: $0) }
    }

    func objectIfPresent(_ name: String) throws -> JSONObject? { members[name] == nil ? nil : try object(name) }
    func stringIfPresent(_ name: String) throws -> String? { members[name] == nil ? nil : try string(name) }

    private func member(_ name: String) throws -> Range<Int> {
        guard let member = members[name] else { throw JSONScanner.Malformed() }
        return member
    }
}
