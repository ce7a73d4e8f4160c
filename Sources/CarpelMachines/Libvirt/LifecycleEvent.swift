import CLibvirt

/// Something happened to a domain.
struct LifecycleEvent: Hashable, Sendable {
    let uuid: String
    let event: Int32
    let detail: Int32

    enum Meaning: Hashable, Sendable {
        case poweredOff, panicked
        /// libvirt has tidied up after the domain.
        case stopped
    }

    /// What it says about the machine's end; nil if nothing.
    ///
    /// Source: https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainEventType
    var meaning: Meaning? {
        switch (virDomainEventType(rawValue: UInt32(bitPattern: event)), UInt32(bitPattern: detail)) {
        case (VIR_DOMAIN_EVENT_CRASHED, _): .panicked
        case (VIR_DOMAIN_EVENT_SHUTDOWN, VIR_DOMAIN_EVENT_SHUTDOWN_GUEST.rawValue): .poweredOff
        case (VIR_DOMAIN_EVENT_STOPPED, _): .stopped
        default: nil
        }
    }
}

/// Where libvirt's callback puts events; it does nothing else.
final class LifecycleEvents: Sendable {
    let stream: AsyncStream<LifecycleEvent>
    private let continuation: AsyncStream<LifecycleEvent>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream() }

    func yield(_ event: LifecycleEvent) { continuation.yield(event) }
    func finish() { continuation.finish() }
}
