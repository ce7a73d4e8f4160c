import CarpelCore

/// The protocol's description of itself. Source: https://spec.open-rpc.org, version 1.3.2
public enum OpenRPC {
    /// The document, made from the types that the server decodes.
    public static var document: JSONValue {
        var schemas = JSONSchemas()
        let methods = MethodDescription.all.map { method($0, &schemas) }
        _ = schemas.schema(PullProgressNotification.schema)
        var components = schemas.byName
        components["ErrorData"] = errorData
        return [
            "openrpc": "1.3.2",
            "info": [
                "title": "Carpel", "version": .string(CarpelVersion.runtime),
                "description": .string(description),
            ],
            "servers": [["name": "carpeld", "url": .string("unix://\(CarpelVersion.defaultSocket)")]],
            "externalDocs": [
                "description": "What CRI's methods and fields mean.",
                "url": "https://github.com/kubernetes/cri-api/blob/master/pkg/apis/runtime/v1/api.proto",
            ],
            "methods": .array(methods),
            "components": ["schemas": .object(components), "errors": .object(errors)],
        ]
    }

    private static let description = """
        CRI v1 and more in JSON-RPC 2.0 on a Unix socket, one message a line. A field that is absent or null has its \
        default, and no field is required for a message to be read; `required` marks the parameters without which a \
        method is refused. Numbers are read as strings too; those of 64 bits are written as strings. \
        x-role: who may call the method. x-streams: what follows its answer. x-reasons: what `error.data.reason` \
        may be, beside what every method can answer.
        """

    private static func method(_ method: MethodDescription, _ schemas: inout JSONSchemas) -> JSONValue {
        _ = schemas.schema(.message(method.request))
        let fields = method.request.fields
        let required = method.required.compactMap { name in fields.first { $0.name == name } }
        // OpenRPC wants those that are required first.
        let params = required + fields.filter { !method.required.contains($0.name) }
        var object: [String: JSONValue] = [
            "name": .string(method.name),
            "summary": .string(method.summary),
            "paramStructure": "by-name",
            "params": .array(
                params.map { field in
                    let param: JSONValue = [
                        "name": .string(field.name), "schema": schemas.schema(field.schema),
                        "required": .bool(method.required.contains(field.name)),
                    ]
                    return param.described(MessageComments.all["\(method.request).\(field.name)"])
                }),
            "result": [
                "name": .string(String(describing: method.response)),
                "schema": schemas.schema(.message(method.response)),
            ],
            "errors": [
                ["$ref": "#/components/errors/invalidParams"], ["$ref": "#/components/errors/internalError"],
                ["$ref": "#/components/errors/methodFailed"],
            ],
            "examples": [example(method.example, params: params.map(\.name))],
            "x-role": .string(method.role.rawValue),
            "x-reasons": .array(method.reasons.map(reason)),
        ]
        object["x-streams"] = streams(method, &schemas)
        return .object(object)
    }

    private static func reason(_ reason: Reason) -> JSONValue {
        [
            "reason": .string(reason.word), "code": .string(reason.code.rawValue), "meaning": .string(reason.meaning),
        ]
    }

    private static func example(_ example: MethodDescription.Example, params: [String]) -> JSONValue {
        var object: [String: JSONValue] = ["name": .string(example.name)]
        if case .object(let values) = example.params {
            object["params"] = .array(
                params.compactMap { name in
                    values[name].map { ["name": .string(name), "value": $0] }
                })
        }
        switch example.outcome {
        case .result(let value): object["result"] = ["name": "result", "value": value]
        case .refusal(let reason): object["x-error"] = self.reason(reason)
        }
        return .object(object)
    }

    /// What follows the answer on the connection, or on the one that opens the answer's url.
    private static func streams(_ method: MethodDescription, _ schemas: inout JSONSchemas) -> JSONValue? {
        if let item = method.item {
            return [
                "kind": "notifications", "method": .string(method.name), "item": schemas.schema(.message(item)),
            ]
        }
        switch method.name {
        case Methods.exec.name, Methods.attach.name, Methods.portForward.name:
            return ["kind": "bytes", "opener": .string(Methods.openStream.name)]
        case Methods.openStream.name:
            return ["kind": "bytes"]
        case Methods.pullImage.name:
            return [
                "kind": "notifications", "method": .string(Notifications.pullProgress),
                "item": schemas.schema(PullProgressNotification.schema),
            ]
        default:
            return nil
        }
    }

    private static let errorData: JSONValue = [
        "title": "ErrorData", "type": "object", "required": ["code", "reason"],
        "properties": [
            "code": ["type": "string", "enum": .array(CarpelError.Code.allCases.map { .string($0.rawValue) })],
            "reason": ["type": "string"],
            "field": ["type": "string"],
        ],
    ]

    private static let errors: [String: JSONValue] = [
        "parseError": error(.parseError, "The line is not JSON, too long or nested too deep.", "parseError"),
        "invalidRequest": error(.invalidRequest, "The JSON is not a request.", "invalidRequest"),
        "methodNotFound": error(.methodNotFound, "There is no such method.", "methodNotFound"),
        "invalidParams": error(.invalidParams, "The parameters do not have the method's types.", "invalidParams"),
        "internalError": error(.internalError, "Carpel is at fault.", "unexpected"),
        "methodFailed": error(.methodFailed, "The method refuses or fails; data.reason says why.", "podNotFound"),
    ]

    private static func error(_ number: JSONRPC.ErrorNumber, _ message: JSONValue, _ reason: JSONValue) -> JSONValue {
        let code: CarpelError.Code =
            switch number {
            case .methodNotFound: .unimplemented
            case .internalError: .internal
            case .methodFailed: .notFound
            case .parseError, .invalidRequest, .invalidParams: .invalidArgument
            }
        return [
            "code": .integer(Int64(number.rawValue)), "message": message,
            "data": ["code": .string(code.rawValue), "reason": reason],
        ]
    }
}
