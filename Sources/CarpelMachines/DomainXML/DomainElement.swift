/// An element of a domain's description, written out with two spaces a level.
struct DomainElement: Sendable {
    let name: String
    let attributes: [(name: String, value: String)]
    var children: [DomainElement]
    let text: String?

    init(
        _ name: String, _ attributes: KeyValuePairs<String, String> = [:], text: String? = nil,
        _ children: [DomainElement] = []
    ) {
        self.name = name
        self.attributes = attributes.map { (name: $0.key, value: $0.value) }
        self.children = children
        self.text = text
    }

    init(_ name: String, _ children: [DomainElement]) { self.init(name, [:], children) }

    init(_ name: String, attributes: [(name: String, value: String)]) {
        self.name = name
        self.attributes = attributes
        children = []
        text = nil
    }

    func document(indentation: String = "") -> String {
        let start = attributes.reduce("\(indentation)<\(name)") { tag, attribute in
            "\(tag) \(attribute.name)='\(Self.escaped(attribute.value))'"
        }
        if let text { return "\(start)>\(Self.escaped(text))</\(name)>\n" }
        guard !children.isEmpty else { return "\(start)/>\n" }
        let inner = children.map { $0.document(indentation: indentation + "  ") }.joined()
        return "\(start)>\n\(inner)\(indentation)</\(name)>\n"
    }

    /// The characters that XML 1.0 cannot hold, not even escaped, become U+FFFD.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "'": result += "&apos;"
            case "\"": result += "&quot;"
            case "\t", "\n", "\r": result += "&#\(scalar.value);"
            case _ where scalar.value < 0x20 || scalar.value == 0xFFFE || scalar.value == 0xFFFF:
                result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
