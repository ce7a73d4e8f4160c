import CarpelPluginSDK
import Synchronization

/// Sees to it that a port of the host leads to one pod: portmap lets a second pod have it, and the first one keeps it.
final class HostPorts: Sendable {
    private let lock = Mutex(())

    /// Writes the record of an attachment that is about to be made.
    ///
    /// - Throws: `PluginError` with `.alreadyExists` if another attachment has one of its ports.
    func reserve(_ record: AttachmentRecord, _ key: AttachmentKey, in store: AttachmentStore) throws {
        guard !record.request.portMappings.isEmpty else { return try store.write(record, key) }
        try lock.withLock { _ in
            for (otherKey, other) in try store.readable() where otherKey != key {
                for wanted in record.request.portMappings {
                    guard other.request.portMappings.contains(where: wanted.isInTheWay(of:)) else { continue }
                    throw PluginError(
                        .alreadyExists, "hostPortTaken",
                        "the host's \(wanted.transport.rawValue) port \(wanted.hostPort) leads to the pod \(otherKey.podID)"
                    )
                }
            }
            try store.write(record, key)
        }
    }
}

extension PortMapping {
    fileprivate func isInTheWay(of other: PortMapping) -> Bool {
        guard transport == other.transport, hostPort == other.hostPort else { return false }
        guard let hostIP, let otherIP = other.hostIP else { return true }
        return hostIP == otherIP || hostIP.isUnspecified || otherIP.isUnspecified
    }
}

extension String {
    /// Whether an address stands for all of the host's.
    fileprivate var isUnspecified: Bool { self == "0.0.0.0" || self == "::" || isEmpty }
}
