import CarpelJSON
import Glibc
import TestSupport
import Testing

@testable import CarpelPluginHost

@Suite struct JSONScannerTests {
    @Test(arguments: [
        "{}", #" {"a":1} "#, #"{"a":[1,-2.5e+3,true,false,null,"\u00e4\n\\\" é"],"b":{"c":[]}}"#, "{\n\t\"a\"\r: [ ] }",
    ])
    func anObjectIsKnown(_ text: String) { #expect(JSONScanner.isObject(Array(text.utf8))) }

    @Test(arguments: [
        "", " ", "[]", "1", "{", "}", "{}}", "{} x", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{\"a\":01}",
        "{\"a\":+1}",
        "{\"a\":1.}", "{\"a\":.5}", "{\"a\":1e}", "{\"a\":tru}", "{\"a\":\"\n\"}", "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12\"}",
        "{\"a\":\"\\u+123\"}", "{\"a\":[1 2]}", "{\"a\":[,1]}", "{\"a\":\"x", "{\"a\":\"\\", "{\"a\":\"\\u",
        "{\"a\":nul",
    ])
    func whatIsNoObjectIsRefused(_ text: String) { #expect(!JSONScanner.isObject(Array(text.utf8))) }

    @Test func bytesThatAreNoTextAndEndlessNestingAreRefused() {
        #expect(!JSONScanner.isObject([0x7B, 0x22, 0xFF, 0x22, 0x3A, 0x31, 0x7D]))
        let deep = String(repeating: "{\"a\":", count: 100_000) + "1" + String(repeating: "}", count: 100_000)
        #expect(!JSONScanner.isObject(Array(deep.utf8)))
        let allowed = String(repeating: "{\"a\":", count: 63) + "1" + String(repeating: "}", count: 63)
        #expect(JSONScanner.isObject(Array(allowed.utf8)))
    }

    @Test func anyChangeOfATextIsJudgedWithoutACrash() {
        let text = Array(#"{"a": [1, "\u00e4é\n", {"b": -1.5e+2}], "c": null}"#.utf8)
        for index in text.indices {
            #expect(!JSONScanner.isObject(Array(text.prefix(index))))
            for byte in [0x00, 0x22, 0x5C, 0x7B, 0x7D, 0x5B, 0xFF] as [UInt8] {
                var changed = text
                changed[index] = byte
                _ = JSONScanner.isObject(changed)
                _ = try? JSONScanner.members(of: changed, in: changed.indices)
            }
        }
    }

    @Test func escapesBecomeWhatTheyStandFor() throws {
        let text = Array(#"{"a\nb":"ä\u00e4\ud83d\ude00\/\"\t!"}"#.utf8)
        let members = try JSONScanner.members(of: text, in: text.indices)
        let value = try #require(members["a\nb"])
        #expect(try JSONScanner.string(of: text, in: value) == "ää😀/\"\t!")
        #expect(String(decoding: JSONScanner.quoted("a\"\\\n\u{1}ä"), as: UTF8.self) == #""a\"\\\u000a\u0001ä""#)
    }

    @Test func aMessageIsTakenApart() throws {
        let call =
            #"{"jsonrpc":"2.0","id":7,"method":"call","params":{"verb":"ADD","deadline":18446744073709551615,"request":{"a": "}"}}}"#
        guard case .call(let request) = try HostMessage(line: Array(call.utf8)) else { throw SupportError("no call") }
        #expect(request.id == 7 && request.verb == "ADD" && request.deadline == .max)
        #expect(String(decoding: request.request, as: UTF8.self) == #"{"a": "}"}"#)
        let bytes = #"{"id":8,"method":"call","params":{"verb":"ADD","deadline":1,"requestBytes":"00ff7b"}}"#
        guard case .call(let raw) = try HostMessage(line: Array(bytes.utf8)) else { throw SupportError("no call") }
        #expect(raw.request == [0, 255, 0x7B])
        for text in ["{}", "[]", #"{"method":"call","params":{}}"#, #"{"method":"fly","params":{}}"#, "\u{0}"] {
            #expect(throws: JSONScanner.Malformed.self) { try HostMessage(line: Array(text.utf8)) }
        }
    }
}
