import CarpelAPI
import CarpelClient
import CarpelCore
import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// The protocol's description, held against a real daemon.
    @Suite(.serialized) struct ExampleTests {
        @Test func theDescriptionNamesTheMethodsThatThereAre() async throws {
            try await withFakeNode { node, _ in
                let (there, described) = (Set(await node.methods()), Set(MethodDescription.all.map(\.name)))
                #expect(there == described, "\(there.symmetricDifference(described))")
            }
        }

        @Test(.timeLimit(.minutes(10))) func everyExampleDoesWhatItSays() async throws {
            try await withNode { node, client, image in
                var names = ExampleNames([
                    ExampleValues.image: image,
                    ExampleValues.archive: try await Fixtures.shared.layout(),
                    ExampleValues.exported: "\(node.folder.path)/exported.tar",
                    ExampleValues.checkpoint: "\(node.folder.path)/checkpoint",
                ])
                try FileManager.default.createDirectory(
                    atPath: "\(node.folder.path)/checkpoint", withIntermediateDirectories: true)
                for method in MethodDescription.all {
                    await expectRefusals(of: method, names, client)
                    try await expect(method.example, of: method.name, &names, node, client)
                }
            }
        }

        private func withNode(_ body: (Node, CarpelClient, _ image: String) async throws -> Void) async throws {
            let (registry, image) = try await Fixtures.shared.get()
            let network = try await TestNetwork()
            let folder = try TemporaryFolder()
            let door = try RegistryDoor(registry, network: network, folder: folder)
            let plugins = try installPlugins(["network-bridge", "storage-local"], in: folder)
            let settings = """
                networks: { default: network-bridge, backend: network-bridge }
                plugins: { folders: [\(plugins)], configurations: { network-bridge: { networks: {
                    default: { subnets: [{ subnet: 10.88.0.0/16 }] },
                    backend: { bridge: backend0, subnets: [{ subnet: 10.89.0.0/24 }] } } } } }

                """
            try await Node.with(
                registry: registry, settings: settings.replacing("\n    ", with: " "), folder: folder,
                network: network
            ) { node, client in
                try await body(node, client, image)
            }
            withExtendedLifetime(door) {}
            try await network.remove()
        }

        /// What a method cannot do without, it asks for.
        private func expectRefusals(
            of method: MethodDescription, _ names: ExampleNames, _ client: CarpelClient
        ) async {
            for field in method.required {
                guard case .object(var params) = method.example.params else { return }
                params[field] = nil
                let text = names.inserted(into: .object(params))
                await #expect("\(method.name) without \(field)") {
                    try await client.callRaw(method: method.name, params: text, timeout: .seconds(120))
                } throws: {
                    let code = ($0 as? CarpelError)?.code
                    // OpenStream looks at its connection first, which is in use.
                    return code == .invalidArgument || code == .unimplemented || code == .failedPrecondition
                }
            }
        }

        private func expect(
            _ example: MethodDescription.Example, of method: String, _ names: inout ExampleNames, _ node: Node,
            _ client: CarpelClient
        ) async throws {
            // Its connection becomes a stream of bytes.
            let client = method == Methods.openStream.name ? try await node.connect() : client
            do {
                let text = try await client.callRaw(
                    method: method, params: names.inserted(into: example.params), timeout: .seconds(120))
                guard case .result(let wanted) = example.outcome else {
                    Issue.record("\(method) was not refused")
                    return
                }
                let result = try JSONValue(text: text)
                names.learn(from: wanted, result)
                #expect(result.resembles(wanted), "\(method): \(text)")
            } catch let error as CarpelError {
                guard case .refusal(let reason) = example.outcome else {
                    Issue.record("\(method): \(error)")
                    return
                }
                #expect(error.reason == reason.word && error.code == reason.code, "\(method): \(error)")
            }
        }
    }
}

/// Lets a node in a network namespace of its own reach the registry of the tests.
private struct RegistryDoor {
    private let processes: [ChildProcess]

    init(_ registry: Registry, network: TestNetwork, folder: TemporaryFolder) throws {
        let port = registry.address.split(separator: ":").last ?? ""
        let socket = "\(folder.path)/registry.sock"
        processes = [
            try ChildProcess(
                "/usr/bin/socat", ["UNIX-LISTEN:\(socket),fork", "TCP:\(registry.address)"],
                log: "\(folder.path)/door-outside.log"),
            try ChildProcess(
                "/usr/bin/nsenter",
                [
                    "--net=\(network.path)", "socat", "TCP-LISTEN:\(port),bind=127.0.0.1,fork,reuseaddr",
                    "UNIX-CONNECT:\(socket)",
                ], log: "\(folder.path)/door-inside.log"),
        ]
    }
}

/// What stands for the examples' names on the node that they are tried on.
private struct ExampleNames {
    private static let fields: Set<String> = [
        "id", "podSandboxId", "containerId", "containerIds", "url", "subscription", "imageRef",
    ]
    private var names: [String: String]

    init(_ names: [String: String]) { self.names = names }

    func inserted(into params: JSONValue) -> String {
        let text = (try? JSONEncoder().encode(params)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        return names.reduce(text.replacing("\\/", with: "/")) { $0.replacing("\"\($1.key)\"", with: "\"\($1.value)\"") }
    }

    /// Ids that the example calls one thing and the node another.
    mutating func learn(from example: JSONValue, _ result: JSONValue, field: String = "") {
        switch (example, result) {
        case (.string(let name), .string(let value)) where Self.fields.contains(field):
            names[name] = value
        case (.object(let members), .object(let found)):
            for (field, member) in members { if let value = found[field] { learn(from: member, value, field: field) } }
        case (.array(let elements), .array(let found)):
            for (element, value) in zip(elements, found) { learn(from: element, value, field: field) }
        default: break
        }
    }
}

extension JSONValue {
    /// Has at least the members and elements of `example`, and of the same kinds.
    fileprivate func resembles(_ example: JSONValue) -> Bool {
        switch (self, example) {
        case (.object(let members), .object(let wanted)):
            wanted.allSatisfy { name, value in members[name]?.resembles(value) == true }
        case (.array(let elements), .array(let wanted)):
            wanted.allSatisfy { value in elements.contains { $0.resembles(value) } }
        case (.string, .string), (.bool, .bool), (.null, .null): true
        case (.integer, .integer), (.number, .number), (.integer, .number), (.number, .integer): true
        default: false
        }
    }
}
