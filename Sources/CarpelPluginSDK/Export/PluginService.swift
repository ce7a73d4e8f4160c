import FoundationEssentials

/// A plugin as the host sees it: a verb and JSON in, JSON out.
protocol PluginService: Sendable {
    /// - Returns: `{"result": …}`.
    /// - Throws: what the plugin throws, or ``PluginError`` with `verbUnknown` or `requestMalformed`.
    func perform(_ verb: String, _ request: Data) async throws -> Data
}

struct NetworkService<Plugin: NetworkPlugin>: PluginService {
    let plugin: Plugin

    func perform(_ verb: String, _ request: Data) async throws -> Data {
        switch NetworkVerb(rawValue: verb) {
        case .add: try await answer(request, with: plugin.add)
        case .delete: try await answer(request, with: plugin.delete)
        case .check: try await answer(request, with: plugin.check)
        case .collectGarbage: try await answer(request, with: plugin.collectGarbage)
        case .status: try await answer(request, with: plugin.status)
        case nil: throw unknown(verb, kind: "network")
        }
    }
}

struct StorageService<Plugin: StoragePlugin>: PluginService {
    let plugin: Plugin

    func perform(_ verb: String, _ request: Data) async throws -> Data {
        switch StorageVerb(rawValue: verb) {
        case .createVolume: try await answer(request, with: plugin.createVolume)
        case .deleteVolume: try await answer(request, with: plugin.deleteVolume)
        case .expandVolume: try await answer(request, with: plugin.expandVolume)
        case .restoreVolume: try await answer(request, with: plugin.restoreVolume)
        case .listVolumes: try await answer(request, with: plugin.listVolumes)
        case .publishVolume: try await answer(request, with: plugin.publishVolume)
        case .unpublishVolume: try await answer(request, with: plugin.unpublishVolume)
        case .collectPublications: try await answer(request, with: plugin.collectPublications)
        case .createSnapshot: try await answer(request, with: plugin.createSnapshot)
        case .deleteSnapshot: try await answer(request, with: plugin.deleteSnapshot)
        case .listSnapshots: try await answer(request, with: plugin.listSnapshots)
        case .getCapacity: try await answer(request, with: plugin.getCapacity)
        case .probe: try await answer(request, with: plugin.probe)
        case nil: throw unknown(verb, kind: "storage")
        }
    }
}

private func answer<Request: Decodable, Result: Encodable>(
    _ request: Data, with verb: (Request) async throws -> Result
) async throws -> Data {
    let request = try decodeMember(Request.self, from: request, named: "request", reason: "requestMalformed")
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    return try encoder.encode(Answer(result: try await verb(request)))
}

private func answer<Request: Decodable>(
    _ request: Data, with verb: (Request) async throws -> Void
) async throws -> Data {
    try await answer(request) { (request: Request) in
        try await verb(request)
        return NoMembers()
    }
}

private func answer<Result: Encodable>(
    _ request: Data, with verb: () async throws -> Result
) async throws -> Data {
    try await answer(request) { (_: NoMembers) in try await verb() }
}

private func answer(_ request: Data, with verb: () async throws -> Void) async throws -> Data {
    try await answer(request) { (_: NoMembers) in
        try await verb()
        return NoMembers()
    }
}

private struct Answer<Result: Encodable>: Encodable {
    let result: Result
}

private func unknown(_ verb: String, kind: String) -> PluginError {
    PluginError(.unimplemented, "verbUnknown", "a \(kind) plugin has no verb \(verb)")
}
