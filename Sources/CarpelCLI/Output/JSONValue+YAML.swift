import CarpelCore
import Yams

extension JSONValue {
    /// The same as a YAML document.
    func yamlText() throws -> String {
        try Yams.serialize(node: node, sortKeys: true)
    }

    private var node: Node {
        switch self {
        case .null: Node("null", Tag(.null))
        case .bool(let bool): Node(bool ? "true" : "false", Tag(.bool))
        case .integer(let integer): Node(String(integer), Tag(.int))
        case .number(let number): Node(String(number), Tag(.float))
        case .string(let string): Self.stringNode(string)
        case .array(let items): Node(items.map(\.node))
        case .object(let members):
            Node(members.sorted { $0.key < $1.key }.map { (Self.stringNode($0.key), $0.value.node) })
        }
    }

    /// Quoted where YAML would read something else than a string.
    private static func stringNode(_ string: String) -> Node {
        let plain = Node(string)
        let isPlain = Resolver.default.resolveTag(of: plain) == .str
        if string.contains("\n") { return Node(string, Tag(.str), .literal) }
        return isPlain && !string.isEmpty ? plain : Node(string, Tag(.str), .doubleQuoted)
    }
}
