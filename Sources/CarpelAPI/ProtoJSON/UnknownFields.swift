import Foundation

extension ProtoMessage {
    /// Reads a message's JSON text.
    ///
    /// - Parameter unknownField: called with the path of each member that the message does not have, such as
    ///   `config.linux.colour`, before an error of a member that it has is thrown.
    /// - Throws: `DecodingError`, whose path begins in the message.
    public init(json: Data, unknownField: (@Sendable (_ path: String) -> Void)? = nil) throws {
        let decoder = JSONDecoder()
        if let unknownField, let key = UnknownFieldReport.key {
            decoder.userInfo[key] = UnknownFieldReport(send: unknownField)
        }
        self = try decoder.decode(ProtoDecoding<Self>.self, from: json).value
    }

    /// Tells of the members that the decoder has and the message does not, if anybody has asked.
    static func reportUnknownFields(of decoder: any Decoder) {
        guard let key = UnknownFieldReport.key, let report = decoder.userInfo[key] as? UnknownFieldReport,
            let members = try? decoder.container(keyedBy: MemberName.self)
        else { return }
        let unknown = members.allKeys.filter { !hasField($0.stringValue) }
        for name in unknown.map(\.stringValue).sorted() {
            report.send((decoder.codingPath + [MemberName(name)]).jsonPath)
        }
    }
}

private struct UnknownFieldReport: Sendable {
    static let key = CodingUserInfoKey(rawValue: "carpel.unknownField")

    let send: @Sendable (_ path: String) -> Void
}

/// A member of whatever name.
struct MemberName: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(_ name: String) { stringValue = name }
    init(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { nil }
}

extension [any CodingKey] {
    /// The way to a value: `config.portMappings[0].hostPort`.
    package var jsonPath: String {
        reduce(into: "") { path, key in
            if let index = key.intValue {
                path += "[\(index)]"
            } else {
                path += (path.isEmpty ? "" : ".") + key.stringValue
            }
        }
    }
}
