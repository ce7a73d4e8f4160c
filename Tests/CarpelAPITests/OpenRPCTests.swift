import CarpelCore
import Foundation
import Testing

@testable import CarpelAPI

/// The document's rules. Source: https://spec.open-rpc.org
@Suite struct OpenRPCTests {
    private let document = OpenRPC.document

    private subscript(_ path: String...) -> JSONValue? { path.reduce(document) { $0?[$1] } }

    @Test func theRootHasWhatItMustHave() {
        #expect(self["openrpc"] == "1.3.2")
        #expect(self["info", "title"] == "Carpel" && self["info", "version"] == .string(CarpelVersion.runtime))
        #expect(self["methods"]?.elements?.isEmpty == false)
    }

    @Test func methodsAndTheirParametersAreNamedOnce() throws {
        let methods = try #require(self["methods"]?.elements)
        let names = methods.compactMap { $0["name"]?.text }
        #expect(names.count == methods.count && Set(names).count == names.count)
        for method in methods {
            let params = try #require(method["params"]?.elements)
            let names = params.compactMap { $0["name"]?.text }
            #expect(names.count == params.count && Set(names).count == names.count)
            #expect(params.allSatisfy { $0["schema"] != nil })
            // Those that are required come first.
            let required = params.map { $0["required"] == true }
            #expect(required == required.sorted { $0 && !$1 })
            #expect(method["result"]?["name"] != nil && method["result"]?["schema"] != nil)
            #expect(["admin", "view"].contains(method["x-role"]?.text))
        }
    }

    @Test func everyReferenceLeadsSomewhere() {
        var references: Set<String> = []
        document.visit { if let reference = $0["$ref"]?.text { references.insert(reference) } }
        #expect(references.count > 100)
        for reference in references {
            let path = reference.dropFirst(2).split(separator: "/").map(String.init)
            #expect(path.reduce(document) { $0?[$1] } != nil, "\(reference)")
        }
    }

    @Test func fieldsAreDescribedByTheirComments() throws {
        let stop = try #require(self["methods"]?.elements?.first { $0["name"] == "StopContainer" })
        let timeout = try #require(stop["params"]?.elements?.first { $0["name"] == "timeout" })
        #expect(timeout["description"] == "Seconds between the stop signal and SIGKILL; 0 kills at once.")
        let schemas = try #require(self["components", "schemas"])
        #expect(schemas["StopContainerRequest"]?["properties"]?["timeout"]?["description"] == timeout["description"])
        #expect(schemas["StopContainerRequest"]?["properties"]?["containerId"]?["description"] == nil)
        #expect(schemas["Mount"]?["properties"]?["carpel"]?["description"] == "Carpel's own, beside CRI.")
        #expect(schemas["EmptyResponse"]?["description"] == "The answer of methods that only succeed or fail.")
        // Of several lines, one of which is empty.
        let since = schemas["WatchNodeRequest"]?["properties"]?["revision"]?["description"]?.text
        #expect(since?.contains("as `ADDED`, then a `BOOKMARK`, and then the changes. One that is no longer") == true)
    }

    @Test func everyCommentIsThatOfAMessageOrOfItsField() throws {
        let schemas = try #require(self["components", "schemas"])
        #expect(MessageComments.all.count > 150)
        for name in MessageComments.all.keys {
            let parts = name.split(separator: ".").map(String.init)
            let schema = schemas[parts[0]]
            #expect((parts.count == 1 ? schema : schema?["properties"]?[parts[1]]) != nil, "\(name)")
        }
    }

    /// A schema's name is its message's: two messages of one name would be one schema.
    @Test func everyMessageHasANameOfItsOwn() {
        var found: [String: ObjectIdentifier] = [:]
        func visit(_ schema: ProtoSchema) {
            switch schema {
            case .message(let type):
                let name = String(describing: type)
                let isKnown = found[name] != nil
                #expect(found[name] ?? ObjectIdentifier(type) == ObjectIdentifier(type), "\(name)")
                found[name] = ObjectIdentifier(type)
                if !isKnown { for field in type.fields { visit(field.schema) } }
            case .list(let element): visit(element)
            default: break
            }
        }
        for method in MethodDescription.all {
            for type in [method.request, method.response, method.item].compactMap({ $0 }) { visit(.message(type)) }
        }
        for name in found.keys { #expect(self["components", "schemas", name] != nil, "\(name)") }
    }

    @Test(arguments: MethodDescription.all.map(\.name)) func examplesAreMessagesOfTheirMethod(_ name: String) throws {
        let method = try #require(MethodDescription.all.first { $0.name == name })
        try expect(method.example.params, toBe: method.request)
        if case .result(let result) = method.example.outcome { try expect(result, toBe: method.response) }
        for field in method.required {
            #expect(method.request.fields.contains { $0.name == field }, "\(field)")
            #expect(method.example.params[field] != nil, "\(field)")
        }
        #expect(!method.summary.isEmpty && method.summary.hasSuffix("."))
    }

    private func expect(_ value: JSONValue, toBe type: any ProtoMessage.Type) throws {
        _ = try type.init(json: try JSONEncoder().encode(value)) { Issue.record("unknown: \($0)") }
    }
}

extension JSONValue {
    fileprivate subscript(_ name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members[name]
    }

    fileprivate var elements: [JSONValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    fileprivate var text: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    fileprivate func visit(_ body: (JSONValue) -> Void) {
        body(self)
        switch self {
        case .array(let elements): for element in elements { element.visit(body) }
        case .object(let members): for member in members.values { member.visit(body) }
        default: break
        }
    }
}
