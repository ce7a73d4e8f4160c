import CarpelCore
import Foundation
import Testing

@testable import CarpelPlugins

@Suite struct JSONTests {
    @Test func valuesAreThoseThatFoundationReads() throws {
        let text = #"""
            { "a" : [ 1, -2.5e3, true, false, null, "x\n\u00e4\ud83d\ude00\/" ], "b": {}, "c": [], "d": 9007199254740993 }
            """#
        #expect(try JSONNode(text: Array(text.utf8)).value == JSONValue(text: text))
    }

    @Test func membersKnowTheirLines() throws {
        let node = try JSONNode(text: Array("{\n\"a\": [\n1,\n{\"b\":\n2}]}".utf8))
        #expect(node.members?.first?.line == 2)
        #expect(node["a"]?.elements?.map(\.line) == [3, 4])
        #expect(node["a"]?.elements?.last?["b"]?.line == 5)
    }

    @Test func anyCutOfATextIsRefusedAndNoneCrashes() throws {
        let text = Array(#"{"a": [1, "\u00e4é", {"b": -1.5e+2}], "c": null}"#.utf8)
        for length in 0..<text.count {
            #expect(throws: JSONSyntaxError.self) { try JSONNode(text: Array(text.prefix(length))) }
        }
        for index in text.indices {
            var changed = text
            changed[index] = 0x5C
            _ = try? JSONNode(text: changed)
        }
    }
}

@Suite struct JSONSchemaTests {
    private func problems(_ schema: String, _ value: String) throws -> [String] {
        let schema = try JSONSchema(JSONNode(text: Array(schema.utf8)))
        let node = JSONNode(try JSONValue(text: value))
        return schema.problems(of: node).map { $0.description(of: "it") }
    }

    @Test(arguments: [
        (#"{"type": "string"}"#, "5", "it must be a string, not an integer"),
        (#"{"type": ["string", "null"]}"#, "5", "it must be a string or null, not an integer"),
        (#"{"type": "integer"}"#, "5.5", "it must be an integer, not a number"),
        (#"{"enum": ["fast", 5]}"#, #""fats""#, #"it must be "fast" or 5, not "fats"; did you mean fast?"#),
        (#"{"minimum": 2, "maximum": 4}"#, "1", "it must be at least 2, not 1"),
        (#"{"minimum": 2, "maximum": 4}"#, "4.5", "it must be at most 4, not 4.5"),
        (#"{"minLength": 2}"#, #""a""#, "it must have at least 2 characters"),
        (#"{"maxItems": 1}"#, "[1, 2]", "it must have at most 1 element"),
        (#"{"pattern": "^[a-z]+$"}"#, #""A""#, #"it must match ^[a-z]+$, which "A" does not"#),
        (
            #"{"items": {"properties": {"a": {"type": "boolean"}}}}"#, #"[{"a": true}, {"a": 1}]"#,
            "[1].a must be a boolean, not an integer"
        ),
        (#"{"properties": {"subnet": {}}}"#, #"{"subnets": 1}"#, "subnets is unknown; did you mean subnet?"),
        (#"{"required": ["a"]}"#, "{}", "a is missing"),
        (#"{"additionalProperties": {"type": "integer"}}"#, #"{"a": "b"}"#, "a must be an integer, not a string"),
        (#"{"properties": {"a": {}}, "additionalProperties": false}"#, #"{"zzz": 1}"#, "zzz is unknown"),
    ])
    func aValueThatDoesNotFitIsDescribed(_ schema: String, _ value: String, _ problem: String) throws {
        #expect(try problems(schema, value) == [problem])
    }

    @Test(arguments: [
        ("{}", #"{"anything": [1, null]}"#), (#"{"type": "object"}"#, #"{"anything": 1}"#),
        (#"{"type": "integer"}"#, "5.0"), (#"{"type": "number"}"#, "5"),
        (#"{"properties": {"a": {}}, "additionalProperties": true}"#, #"{"b": 1}"#),
        (#"{"title": "t", "description": "d", "default": 5, "examples": [], "$schema": "s", "type": "integer"}"#, "1"),
    ])
    func aValueThatFitsHasNoProblem(_ schema: String, _ value: String) throws {
        #expect(try problems(schema, value).isEmpty)
    }

    @Test(arguments: [
        (#"{"type": "text"}"#, "type must be one or more of"),
        (#"{"required": "a"}"#, "required must be an array of strings"),
        (#"{"patern": "a"}"#, "did you mean pattern?"), (#"{"pattern": "("}"#, "pattern must be a regular expression"),
        (#"{"properties": {"a": 5}}"#, "properties.a must be an object"),
        (#"{"minimum": "1"}"#, "minimum must be a number"),
        (#"{"minLength": -1}"#, "minLength must be a whole number"), (#"{"enum": []}"#, "enum must be an array"),
    ])
    func aSchemaThatCannotBeCheckedIsRefused(_ schema: String, _ words: String) throws {
        let error = #expect(throws: JSONSchema.SchemaError.self) { try JSONSchema(JSONNode(text: Array(schema.utf8))) }
        let text = error?.problems.map { $0.description(of: "it") }.joined() ?? ""
        #expect(text.contains(words), "\(text)")
    }
}

@Suite struct RestartBackoffTests {
    @Test func theFirstRestartIsAtOnceAndEachLaterOneTakesTwiceAsLong() {
        var limits = PluginLimits()
        (limits.backoff, limits.mostBackoff, limits.backoffReset) = (.seconds(1), .seconds(5), .seconds(60))
        var backoff = RestartBackoff(limits)
        let delays = (0..<6).map { _ in backoff.delay(afterLifetime: .seconds(1)) }
        #expect(delays == [.zero, .seconds(1), .seconds(2), .seconds(4), .seconds(5), .seconds(5)])
        for _ in 0..<100 { #expect(backoff.delay(afterLifetime: .zero) == .seconds(5)) }
        #expect(backoff.delay(afterLifetime: .seconds(60)) == .zero)
        #expect(backoff.delay(afterLifetime: .zero) == .seconds(1))
    }
}
