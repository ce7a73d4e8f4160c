import CarpelCore
import Foundation
import Testing

@testable import CarpelPlugins

/// What is wrong with a plugin.json, and where.
@Suite struct ManifestTests {
    private func manifest(_ text: String) throws -> PluginManifest {
        try PluginManifest(text: Array(text.utf8), folder: "/plugins/a", path: "/plugins/a/plugin.json")
    }

    private func refusal(_ text: String) throws -> CarpelError {
        try #require(throws: CarpelError.self) { try manifest(text) }
    }

    private static let least = """
        {
          "name": "network-bridge",
          "kind": "network",
          "version": "1.2.3",
          "api": {"minimum": 1, "maximum": 4},
          "library": "libNetworkBridge.so"
        """

    @Test func theLeastManifestHasDefaults() throws {
        let manifest = try manifest(Self.least + "}")
        #expect(manifest.name == "network-bridge" && manifest.kind == .network && manifest.version == "1.2.3")
        #expect(manifest.api == 1...4 && manifest.library == "/plugins/a/libNetworkBridge.so")
        #expect(manifest.capabilities.isEmpty && manifest.seccomp == "network" && manifest.description.isEmpty)
        try manifest.check(.object([:]))
        let error = #expect(throws: CarpelError.self) { try manifest.check(.object(["mtu": .integer(1)])) }
        #expect(error?.message.contains("nothing to configure") == true)
    }

    @Test func everyMemberIsRead() throws {
        let manifest = try manifest(
            Self.least + """
                , "description": "d", "capabilities": ["CAP_NET_ADMIN", "CAP_BPF"], "seccomp": "profiles/mine.json",
                "configurationSchema": {"properties": {"mtu": {"type": "integer"}}}}
                """)
        #expect(manifest.capabilities == ["CAP_NET_ADMIN", "CAP_BPF"] && manifest.description == "d")
        #expect(manifest.seccomp == "/plugins/a/profiles/mine.json")
        try manifest.check(.object(["mtu": .integer(1500)]))
    }

    @Test(arguments: [
        (", \"capabilites\": []}", 6, "capabilites", "is unknown; did you mean capabilities?"),
        (
            ",\n\"capabilities\": [\"CAP_CHOWN\",\n\"CAP_NET_ADMNI\"]}", 8, "capabilities[1]",
            "did you mean CAP_NET_ADMIN?"
        ),
        (",\n\"capabilities\": [\"NET_ADMIN\"]}", 7, "capabilities[0]", "did you mean CAP_NET_ADMIN?"),
        (",\n\"capabilities\": \"CAP_CHOWN\"}", 7, "capabilities", "must be an array, not a string"),
        (",\n\"seccomp\": 5}", 7, "seccomp", "must be a string, not an integer"),
        (
            ",\n\n\"configurationSchema\": {\"type\": \"objekt\"}}", 8, "configurationSchema.type",
            "must be one or more of"
        ),
        (
            ",\n\"configurationSchema\": {\n\"properties\": {\"a\":\n{\"oneOf\": []}}}}", 9,
            "configurationSchema.properties.a.oneOf", "no keyword"
        ),
    ])
    func aMemberAtFaultIsNamedWithItsLine(_ rest: String, _ line: Int, _ field: String, _ words: String) throws {
        let error = try refusal(Self.least + rest)
        #expect(error.code == .invalidArgument && error.reason == "manifestInvalid" && error.field == field, "\(error)")
        #expect(error.message.contains("/plugins/a/plugin.json: line \(line): \(field) "), "\(error)")
        #expect(error.message.contains(words), "\(error)")
    }

    @Test(arguments: [
        ("\"network-bridge\"", "\"Network Bridge\"", "name"), ("\"network\"", "\"netwrok\"", "kind"),
        ("\"1.2.3\"", "\"1.2\"", "version"), ("\"maximum\": 4", "\"maximum\": 0", "api.maximum"),
        ("\"minimum\": 1", "\"minimum\": 9", "api.maximum"), ("\"libNetworkBridge.so\"", "\"../lib.so\"", "library"),
        ("\"libNetworkBridge.so\"", "\"/lib.so\"", "library"), ("\"minimum\": 1", "\"minimum\": 1.5", "api.minimum"),
    ])
    func aValueThatDoesNotFitIsRefused(_ part: String, _ other: String, _ field: String) throws {
        let text = Self.least.replacing(part, with: other) + "}"
        #expect(try refusal(text).field == field)
    }

    @Test func allThatIsMissingIsToldAtOnce() throws {
        let error = try refusal("{\"name\": \"a\", \"kind\": \"storag\"}")
        for words in ["version is missing", "api is missing", "library is missing", "did you mean storage?"] {
            #expect(error.message.contains(words), "\(error)")
        }
    }

    @Test(arguments: [
        ("", 1, 1, "expected a value, found the end"), ("{\n  \"a\": 1,\n}", 3, 1, "comma must not be the last"),
        ("{\"a\": 1\n \"b\": 2}", 2, 2, "expected \",\" or \"}\", found \"\"\""), ("{a: 1}", 1, 2, "quotation marks"),
        ("{\"a\": tru}", 1, 7, "expected a value, found \"t\""), ("{\"a\": 01}", 1, 7, "01 is no number"),
        ("{\"a\": \"x\ny\"}", 1, 9, "the end of the line"), ("{} {}", 1, 4, "nothing may follow"),
        ("{\"a\": \"\\q\"}", 1, 7, "escape"), ("{\"a\": 1,\n\"a\": 2}", 2, 1, "stands twice, first in line 1"),
        ("{\"a\": \"x", 1, 9, "has no end"),
    ])
    func whatIsNoJSONIsToldWithItsPlace(_ text: String, _ line: Int, _ column: Int, _ words: String) throws {
        let error = try refusal(text)
        #expect(error.reason == "manifestInvalid")
        #expect(error.message.contains("line \(line), column \(column): "), "\(error)")
        #expect(error.message.contains(words), "\(error)")
    }

    @Test func nestingAndBytesThatAreNoTextAreRefused() throws {
        #expect(try refusal(String(repeating: "[", count: 100_000)).message.contains("more than 64 levels"))
        let bytes = #expect(throws: CarpelError.self) {
            try PluginManifest(text: [0x22, 0xFF, 0x22], folder: "/a", path: "/a/plugin.json")
        }
        #expect(bytes?.message.contains("UTF-8") == true)
    }

    /// A pattern of brackets within brackets ended the process that compiled it.
    @Test(arguments: ["[", "("]) func aPatternHasFewBrackets(bracket: String) throws {
        let pattern = String(repeating: bracket, count: 100_000)
        let error = try refusal(Self.least + ", \"configurationSchema\": {\"pattern\": \"\(pattern)\"}}")
        #expect(error.field == "configurationSchema.pattern" && error.message.contains("64 opening brackets"))
        let few = String(repeating: bracket == "(" ? "(a)" : "[a]", count: 64)
        _ = try manifest(Self.least + ", \"configurationSchema\": {\"pattern\": \"\(few)\"}}")
    }

    /// Each was told of, with the member that it may have been meant for: that took most of a minute.
    @Test func ofManyProblemsAFewAreTold() throws {
        let members = (0..<10_000).map { "\"member\($0)\": 1" }.joined(separator: ",")
        for text in ["{\(members)}", Self.least + ", \"configurationSchema\": {\(members)}}"] {
            let error = try refusal(text)
            #expect(error.reason == "manifestInvalid" && error.message.utf8.count < 10_000)
        }
    }

    @Test func aPluginForALaterInterfaceIsToldSo() throws {
        let error = try refusal(Self.least.replacing("\"minimum\": 1", with: "\"minimum\": 3") + "}")
        #expect(error.code == .failedPrecondition && error.reason == "apiIncompatible", "\(error)")
        #expect(error.message.contains("3 to 4") && error.message.contains("this node has 1"), "\(error)")
    }
}
