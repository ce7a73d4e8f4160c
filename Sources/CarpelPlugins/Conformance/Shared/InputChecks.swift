import CarpelCore
import CarpelPluginSDK
import Foundation

// What plugins of every kind must do with requests that no daemon sends.

let hostileNames = [
    "../../../../etc/passwd", "/etc/passwd", "a/b/c", "$(reboot)", "; reboot", "`reboot`", "-rf", "\u{0}", "a\u{0}b",
    "\n", "%s%n%x", "äöü€😀", String(repeating: "x", count: 5000), " ", ".", "..",
]

func checkUnknownVerbs(_ plugin: PluginUnderTest) async throws {
    try await plugin.surviving {
        for verb in ["Nope", "add", "ADD ", "createVolume", ""] {
            let error = try await plugin.error(of: verb, .json(Data("{}".utf8)))
            try expect(error.code == .unimplemented, "the verb \"\(verb)\" is not UNIMPLEMENTED but \(error)")
        }
    }
}

func checkGarbage(_ verbs: [String], _ plugin: PluginUnderTest) async throws {
    let open = 20_000
    let garbage: [(what: String, bytes: Data)] = [
        ("nothing", Data()), ("a word", Data("garbage".utf8)), ("half an object", Data(#"{"pod":{"id":"#.utf8)),
        ("null", Data("null".utf8)), ("an array", Data("[]".utf8)), ("a number", Data("7".utf8)),
        ("a string", Data(#""{}""#.utf8)), ("two objects", Data("{}{}".utf8)),
        ("random bytes", Data((0..<1000).map { _ in UInt8.random(in: 0...255) })),
        ("zeros", Data(repeating: 0, count: 100)),
        ("invalid UTF-8", Data([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])),
        ("half a surrogate", Data(#"{"pod":"\ud800","name":"\ud800","volumeID":"\ud800","valid":"\ud800"}"#.utf8)),
        ("\(open) open brackets", Data(String(repeating: "[", count: open).utf8)),
        (
            "\(open) arrays in each other",
            Data((#"{"pod":"# + String(repeating: "[", count: open) + String(repeating: "]", count: open) + "}").utf8)
        ),
        ("\(open) open objects", Data(String(repeating: #"{"a":"#, count: open).utf8)),
    ]
    try await plugin.surviving {
        for verb in verbs {
            for (what, bytes) in garbage {
                let error = try await plugin.error(of: verb, .bytes(bytes))
                try expect(error.code == .invalidArgument, "\(verb) with \(what) is not INVALID_ARGUMENT but \(error)")
            }
        }
    }
}

/// Takes each of the `required` members away, and gives it values of other types.
func checkWrongTypes(
    _ requests: [(verb: String, members: [String: JSONValue], required: [String])], _ plugin: PluginUnderTest
) async throws {
    // Numbers that no integer holds, where all others are out of place too.
    let wrong = ["null", "true", "17", "1e999", String(repeating: "9", count: 400), "[[]]", #"{"a":{}}"#, #""""#]
    try await plugin.surviving {
        for (verb, members, required) in requests {
            for member in required {
                var rest = members
                rest[member] = nil
                let error = try await plugin.error(of: verb, .bytes(try JSONEncoder().encode(JSONValue.object(rest))))
                try expect(
                    error.code == .invalidArgument, "\(verb) without \(member) is not INVALID_ARGUMENT but \(error)")
                for value in wrong where !isRight(value, for: members[member]) {
                    let text = try body(of: JSONValue.object(rest), adding: "\"\(member)\":\(value)")
                    let error = try await plugin.error(of: verb, text)
                    let account = "\(verb) with \(member) \(value.prefix(20)) is not INVALID_ARGUMENT but \(error)"
                    try expect(error.code == .invalidArgument, account)
                }
            }
        }
    }
}

/// Whether a text would do in the place of a value.
private func isRight(_ text: String, for value: JSONValue?) -> Bool {
    switch value {
    case .string: text.hasPrefix("\"")
    case .integer: text == "17"
    default: false
    }
}

func members(of request: some Encodable) throws -> [String: JSONValue] {
    guard case .object(let members) = try JSONValue(encoding: request) else { return [:] }
    return members
}

/// The request with one more member, as it stands there.
func body(of request: some Encodable, adding member: String) throws -> CallBody {
    let text = String(decoding: try JSONEncoder().encode(request), as: UTF8.self).dropLast()
    return .bytes(Data((text + (text == "{" ? "" : ",") + member + "}").utf8))
}
