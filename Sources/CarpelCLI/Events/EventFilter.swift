import ArgumentParser
import CarpelAPI

/// What `carpel events` shows: for each key that is named, one of its values.
struct EventFilter {
    private enum Key: String, CaseIterable { case kind, type, state, pod, name, id }

    private var values: [Key: [String]] = [:]

    init(_ filters: [String]) throws {
        for filter in filters {
            let parts = filter.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, let key = Key(rawValue: String(parts[0])) else {
                let keys = Key.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("\"\(filter)\" is no filter: KEY=VALUE, where the key is one of \(keys)")
            }
            let value = String(parts[1])
            let choices: [String]? =
                switch key {
                case .kind: WatchNodeResponse.Kind.allCases.map { $0.rawValue.lowercased() }
                case .type: ["added", "modified", "removed"]
                case .state, .pod, .name, .id: nil
                }
            if let choices, !choices.contains(value) {
                throw ValidationError("\"\(filter)\": \(key.rawValue) is one of \(choices.joined(separator: ", "))")
            }
            values[key, default: []].append(value)
        }
    }

    /// - Parameter podName: of the pod that the change is about or in, if it is known.
    func matches(_ change: WatchNodeResponse, podName: String?) -> Bool {
        values.allSatisfy { key, wanted in
            wanted.contains { value in
                switch key {
                case .kind: change.kind.rawValue.lowercased() == value
                case .type: change.type.rawValue.lowercased() == value
                case .state: change.state == value
                case .pod: podName == value || change.podID?.hasPrefix(value) ?? false
                case .name: change.name == value
                case .id: change.id.hasPrefix(value)
                }
            }
        }
    }
}

extension WatchNodeResponse {
    /// As `carpel ps` and the like print it; empty for what has none.
    var state: String {
        switch kind {
        case .POD: pod.map { HumanText.state($0.state.rawValue) } ?? ""
        case .CONTAINER: container.map { HumanText.state($0.state.rawValue) } ?? ""
        case .PLUGIN: plugin?.state.rawValue.lowercased() ?? ""
        case .IMAGE, .VOLUME: ""
        }
    }

    var name: String {
        switch kind {
        case .POD: pod?.metadata?.name ?? ""
        case .CONTAINER: container?.metadata?.name ?? ""
        case .IMAGE: image?.repoTags.first ?? image?.repoDigests.first ?? ""
        case .VOLUME: volume?.name ?? ""
        case .PLUGIN: id
        }
    }

    /// Of the pod that this is, or is in.
    var podID: String? {
        switch kind {
        case .POD: id
        case .CONTAINER: podSandboxId
        case .IMAGE, .VOLUME, .PLUGIN: nil
        }
    }
}
