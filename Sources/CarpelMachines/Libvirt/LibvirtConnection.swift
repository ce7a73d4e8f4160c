import CLibvirt
import CarpelCore
import Glibc

/// `virConnectDomainEventCallback`: connection, domain, event, detail and what was handed over at registration.
private typealias LifecycleCallback =
    @convention(c) (virConnectPtr?, virDomainPtr?, Int32, Int32, UnsafeMutableRawPointer?) -> Int32

/// A connection to one of libvirt's QEMU drivers. Every method blocks.
///
/// `@unchecked Sendable`: libvirt's objects are reference-counted and locked by themselves, and may be used by several
/// threads at once (https://libvirt.org/html/libvirt-libvirt-host.html, virConnectPtr); the pointer never changes.
final class LibvirtConnection: @unchecked Sendable {
    private let pointer: virConnectPtr

    init(uri: String) throws {
        try LibvirtEventLoop.start()
        guard let pointer = virConnectOpen(uri) else { throw CarpelError.libvirt("opening \(uri)") }
        self.pointer = pointer
    }

    deinit { virConnectClose(pointer) }

    func create(_ document: String, paused: Bool = false) throws -> LibvirtDomain {
        let flags = paused ? VIR_DOMAIN_START_PAUSED.rawValue : 0
        guard let domain = virDomainCreateXML(pointer, document, flags) else {
            throw CarpelError.libvirt("starting the machine")
        }
        return LibvirtDomain(owning: domain)
    }

    /// Nil if there is no domain of that name.
    func domain(named name: String) throws -> LibvirtDomain? {
        if let domain = virDomainLookupByName(pointer, name) { return LibvirtDomain(owning: domain) }
        let error = CarpelError.libvirt("looking up \(name)")
        guard error.reason == "machineGone" else { throw error }
        return nil
    }

    func runningDomains() throws -> [LibvirtDomain] {
        var list: UnsafeMutablePointer<virDomainPtr?>?
        let count = virConnectListAllDomains(pointer, &list, VIR_CONNECT_LIST_DOMAINS_ACTIVE.rawValue)
        guard count >= 0, let list else { throw CarpelError.libvirt("listing the machines") }
        defer { free(list) }
        return (0..<Int(count)).compactMap { list[$0].map(LibvirtDomain.init(owning:)) }
    }

    /// Has libvirt find out what this QEMU can do. It remembers the answer; the first machine would wait for it otherwise.
    func askForCapabilities(_ accelerator: AcceleratorChoice.Kind, emulator: String?) throws {
        let type = accelerator == .kvm ? "kvm" : "qemu"
        guard let text = virConnectGetDomainCapabilities(pointer, emulator, "x86_64", "q35", type, 0) else {
            let error = CarpelError.libvirt("finding QEMU")
            throw CarpelError(
                .failedPrecondition, "qemuUnusable",
                "\(error.message); install qemu-system-x86 or set the emulator's path")
        }
        free(text)
    }

    /// libvirt's and QEMU's, as in `9.0.0`.
    func versions() throws -> (libvirt: String, qemu: String) {
        var library: UInt = 0
        var qemu: UInt = 0
        guard virConnectGetLibVersion(pointer, &library) == 0, virConnectGetVersion(pointer, &qemu) == 0 else {
            throw CarpelError.libvirt("asking for versions")
        }
        func spelled(_ number: UInt) -> String { "\(number / 1_000_000).\(number / 1000 % 1000).\(number % 1000)" }
        return (spelled(library), spelled(qemu))
    }

    /// Lets `events` have every lifecycle event until ``stopEvents(_:)``.
    func sendEvents(to events: LifecycleEvents) throws -> Int32 {
        let callback: LifecycleCallback = { _, domain, event, detail, context in
            guard let domain, let context, let uuid = LibvirtDomain.uuid(of: domain) else { return 0 }
            Unmanaged<LifecycleEvents>.fromOpaque(context).takeUnretainedValue()
                .yield(LifecycleEvent(uuid: uuid, event: event, detail: detail))
            return 0
        }
        let number = virConnectDomainEventRegisterAny(
            pointer, nil, Int32(VIR_DOMAIN_EVENT_ID_LIFECYCLE.rawValue),
            // libvirt's own VIR_DOMAIN_EVENT_CALLBACK: the number above says which type it is called as.
            unsafeBitCast(callback, to: virConnectDomainEventGenericCallback.self),
            Unmanaged.passRetained(events).toOpaque()
        ) { context in
            if let context { Unmanaged<LifecycleEvents>.fromOpaque(context).release() }
        }
        guard number >= 0 else { throw CarpelError.libvirt("registering for events") }
        return number
    }

    func stopEvents(_ number: Int32) { virConnectDomainEventDeregisterAny(pointer, number) }
}
