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

    func attach(_ device: String, _ activity: String) throws {
        guard virDomainAttachDeviceFlags(pointer, device, VIR_DOMAIN_AFFECT_LIVE.rawValue) == 0 else {
            throw CarpelError.libvirt(activity)
        }
    }

    /// Returns when the device is gone, or after five seconds without an error.
    func detach(_ device: String, _ activity: String) throws {
        guard virDomainDetachDeviceFlags(pointer, device, VIR_DOMAIN_AFFECT_LIVE.rawValue) == 0 else {
            throw CarpelError.libvirt(activity)
        }
    }

    /// The length of a disk as the guest sees it.
    ///
    /// - Parameter target: libvirt's name for it, such as `sdb`.
    func capacity(ofDisk target: String) throws -> ByteCount {
        var info = virDomainBlockInfo()
        guard virDomainGetBlockInfo(pointer, target, &info, 0) == 0 else {
            throw CarpelError.libvirt("asking for the length of \(target)")
        }
        return ByteCount(Int64(clamping: info.capacity))
    }

    /// What QEMU holds a disk to.
    ///
    /// Source of the names: https://libvirt.org/html/libvirt-libvirt-domain.html#VIR_DOMAIN_BLOCK_IOTUNE_READ_BYTES_SEC
    func limits(ofDisk target: String) throws -> DiskSpec.Limits {
        var count: Int32 = 0
        guard virDomainGetBlockIoTune(pointer, target, nil, &count, 0) == 0 else {
            throw CarpelError.libvirt("asking for the limits of \(target)")
        }
        var values = [virTypedParameter](repeating: virTypedParameter(), count: Int(count))
        guard virDomainGetBlockIoTune(pointer, target, &values, &count, 0) == 0 else {
            throw CarpelError.libvirt("asking for the limits of \(target)")
        }
        func value(_ name: String) -> Int64? {
            var found: UInt64 = 0
            guard virTypedParamsGetULLong(&values, count, name, &found) == 1, found > 0 else { return nil }
            return Int64(clamping: found)
        }
        var limits = DiskSpec.Limits()
        limits.readBytesPerSecond = value("read_bytes_sec")
        limits.writeBytesPerSecond = value("write_bytes_sec")
        limits.readOperationsPerSecond = value("read_iops_sec")
        limits.writeOperationsPerSecond = value("write_iops_sec")
        return limits
    }

    func resize(disk target: String, to size: ByteCount) throws {
        let flags = VIR_DOMAIN_BLOCK_RESIZE_BYTES.rawValue
        guard virDomainBlockResize(pointer, target, UInt64(size.bytes), flags) == 0 else {
            throw CarpelError.libvirt("resizing \(target)")
        }
    }

    /// The domain's CPUs may only become more: QEMU's machines hardly let go of one.
    func setVirtualCPUs(_ count: Int) throws {
        guard virDomainSetVcpusFlags(pointer, UInt32(clamping: count), VIR_DOMAIN_AFFECT_LIVE.rawValue) == 0 else {
            throw CarpelError.libvirt("adding virtual CPUs")
        }
    }

    func isPaused() throws -> Bool {
        var state: Int32 = 0
        guard virDomainGetState(pointer, &state, nil, 0) == 0 else { throw CarpelError.libvirt("asking for the state") }
        return UInt32(bitPattern: state) == VIR_DOMAIN_PAUSED.rawValue
    }

    func suspend() throws {
        guard virDomainSuspend(pointer) == 0 else { throw CarpelError.libvirt("pausing the machine") }
    }

    func resume() throws {
        guard virDomainResume(pointer) == 0 else { throw CarpelError.libvirt("resuming the machine") }
    }

    /// Has QEMU do a command of its own (QMP), with an open file for those that want one.
    /// - Returns: QEMU's answer, an object with `return` or `error`.
    func monitor(_ command: String, passing descriptor: Int32? = nil) throws -> String {
        var text: UnsafeMutablePointer<CChar>?
        var files = descriptor.map { [$0] } ?? []
        let result = virDomainQemuMonitorCommandWithFiles(
            pointer, command, UInt32(files.count), &files, nil, nil, &text, 0)
        guard result == 0, let text else { throw CarpelError.libvirt("a command of QEMU's") }
        defer { free(text) }
        return String(cString: text)
    }

    /// Kills QEMU. A domain that is gone, or goes because it is being re-attached meanwhile, is fine.
    func destroy() throws {
        guard virDomainDestroyFlags(pointer, 0) != 0 else { return }
        let error = CarpelError.libvirt("destroying the machine")
        guard ["machineGone", "machineNotRunning"].contains(error.reason) else { throw error }
    }
}
