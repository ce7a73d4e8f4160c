import CLibvirt
import CarpelCore
import Glibc

/// libvirt's handle of a domain. Every method blocks.
///
/// `@unchecked Sendable`: as for ``LibvirtConnection``.
final class LibvirtDomain: @unchecked Sendable {
    private let pointer: virDomainPtr

    init(owning pointer: virDomainPtr) { self.pointer = pointer }

    deinit { virDomainFree(pointer) }

    static func uuid(of domain: virDomainPtr) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(VIR_UUID_STRING_BUFLEN)) { buffer in
            guard let text = buffer.baseAddress, virDomainGetUUIDString(domain, text) == 0 else { return nil }
            return String(cString: text)
        }
    }

    func document() throws -> String {
        guard let text = virDomainGetXMLDesc(pointer, 0) else { throw CarpelError.libvirt("describing the machine") }
        defer { free(text) }
        return String(cString: text)
    }

    func live() throws -> LiveDomain { try LiveDomain(parsing: document()) }

    func attach(_ device: String) throws {
        guard virDomainAttachDeviceFlags(pointer, device, VIR_DOMAIN_AFFECT_LIVE.rawValue) == 0 else {
            throw CarpelError.libvirt("plugging in a disk")
        }
    }

    func detach(_ device: String) throws {
        guard virDomainDetachDeviceFlags(pointer, device, VIR_DOMAIN_AFFECT_LIVE.rawValue) == 0 else {
            throw CarpelError.libvirt("unplugging a disk")
        }
    }

    /// Kills QEMU. A domain that is gone, or goes because it is being re-attached meanwhile, is fine.
    func destroy() throws {
        guard virDomainDestroyFlags(pointer, 0) != 0 else { return }
        let error = CarpelError.libvirt("destroying the machine")
        guard ["machineGone", "machineNotRunning"].contains(error.reason) else { throw error }
    }
}
