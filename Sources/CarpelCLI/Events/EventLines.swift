import CarpelAPI
import Foundation

/// Changes as lines for people: time, kind, id, change, name and state.
struct EventLines {
    private var podNames: [String: String] = [:]

    /// nil for what is no change.
    mutating func line(_ change: WatchNodeResponse) -> String? {
        if change.kind == .POD, let name = change.pod?.metadata?.name { podNames[change.id] = name }
        guard change.type != .BOOKMARK else { return nil }
        return Self.columns(
            change.createdAt, change.kind.rawValue.lowercased(), change.id, change.type.rawValue.lowercased(),
            [path(change), change.detail])
    }

    /// Of the pod that a change is about or in.
    func podName(of change: WatchNodeResponse) -> String? { change.podID.flatMap { podNames[$0] } }

    /// CRI's event of a container or a pod.
    static func line(_ event: ContainerEventResponse) -> String {
        let pod = event.podSandboxStatus?.metadata?.name ?? ""
        let container = event.containersStatuses.first { $0.id == event.containerId }?.metadata?.name
        let isPod = event.containerId == event.podSandboxStatus?.id
        let type = event.containerEventType.rawValue.split(separator: "_").dropFirst().first ?? ""
        return columns(
            event.createdAt, isPod ? "pod" : "container", event.containerId, type.lowercased(),
            [isPod ? pod : "\(pod)/\(container ?? HumanText.shortID(event.containerId))"])
    }

    private func path(_ change: WatchNodeResponse) -> String {
        guard change.kind == .CONTAINER else { return change.name }
        return "\(podName(of: change) ?? HumanText.shortID(change.podSandboxId))/\(change.name)"
    }

    private static func columns(
        _ nanoseconds: Int64, _ kind: String, _ id: String, _ change: String, _ rest: [String]
    ) -> String {
        let time = Date(timeIntervalSince1970: Double(nanoseconds) / 1e9)
        let columns = [
            time.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)), padded(kind, 9),
            padded(HumanText.shortID(id), 13), padded(change, 8),
        ]
        return (columns + rest.filter { !$0.isEmpty }).joined(separator: "  ")
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}

extension WatchNodeResponse {
    /// What is worth to be said besides the name.
    fileprivate var detail: String {
        switch kind {
        case .CONTAINER where container?.state == .CONTAINER_EXITED:
            "exited with \(container?.exitCode ?? 0) (\(container?.reason ?? ""))"
        case .VOLUME: volume.map { HumanText.size(UInt64(clamping: $0.capacityBytes)) } ?? ""
        case .IMAGE: image.map { HumanText.size($0.size) } ?? ""
        case .PLUGIN where plugin?.reason.isEmpty == false: "\(state): \(plugin?.message ?? "")"
        default: state
        }
    }
}
