import CKVM
import CarpelCore
import Glibc

/// A virtual machine of one processor and 32 KiB, made for the probe: 64-bit mode, paging on, no devices.
///
/// Source: https://docs.kernel.org/virt/kvm/api.html
final class KVMGuest {
    /// Where things lie in the guest's memory.
    private enum Layout {
        static let size = 0x8000
        static let pageMapLevel4 = 0x1000
        static let directoryPointers = 0x2000
        static let directory = 0x3000
        static let code = 0x4000
        static let counter = 0x5000
    }

    /// `mov ecx, iterations; again: inc qword [0x5000]; dec ecx; jnz again; hlt`
    static func countingCode(iterations: UInt32) -> [UInt8] {
        let count = (0..<4).map { UInt8(truncatingIfNeeded: iterations >> ($0 * 8)) }
        return [0xB9] + count + [0x48, 0xFF, 0x04, 0x25, 0x00, 0x50, 0x00, 0x00, 0xFF, 0xC9, 0x75, 0xF4, 0xF4]
    }

    /// `again: jmp again`
    static let endlessCode: [UInt8] = [0xEB, 0xFE]

    private let memory: Mapping
    private let machine: Descriptor
    private let processor: Descriptor
    private let run: Mapping

    /// - Throws: ``KVMFailure`` with the step that failed.
    init(device: Int32, code: [UInt8]) throws(KVMFailure) {
        memory = try Mapping(size: Layout.size, flags: MAP_SHARED | MAP_ANONYMOUS)
        machine = Descriptor(try Self.check(ioctl(device, carpel_kvm_create_vm, 0), "create a virtual machine"))
        var region = kvm_userspace_memory_region()
        region.memory_size = UInt64(Layout.size)
        region.userspace_addr = UInt64(UInt(bitPattern: memory.address))
        try Self.check(ioctl(machine.number, carpel_kvm_set_user_memory_region, &region), "give it memory")
        processor = Descriptor(try Self.check(ioctl(machine.number, carpel_kvm_create_vcpu, 0), "give it a processor"))
        let size = try Self.check(ioctl(device, carpel_kvm_get_vcpu_mmap_size, 0), "ask for the size of its state")
        run = try Mapping(size: Int(size), flags: MAP_SHARED, descriptor: processor.number)
        UnsafeMutableRawBufferPointer(start: memory.address, count: Layout.size)[Layout.code...].copyBytes(from: code)
        try enterLongMode()
    }

    var counter: UInt64 { memory.address.load(fromByteOffset: Layout.counter, as: UInt64.self) }

    /// Runs the code from its start until it halts.
    ///
    /// - Throws: ``KVMFailure``; a signal that is let through by ``letThrough(_:)`` ends it too.
    func runToHalt() throws(KVMFailure) {
        var registers = kvm_regs()
        registers.rip = UInt64(Layout.code)
        registers.rflags = 2
        try Self.check(ioctl(processor.number, carpel_kvm_set_regs, &registers), "set its registers")
        try Self.check(ioctl(processor.number, carpel_kvm_run, 0), "run it")
        let reason = run.address.assumingMemoryBound(to: kvm_run.self).pointee.exit_reason
        guard reason == UInt32(KVM_EXIT_HLT) else {
            throw KVMFailure(step: "run it to its end (it stopped with exit reason \(reason))", errno: 0)
        }
    }

    /// While the guest runs, only `signal` is not blocked: sent to this thread, it ends the run instead of reaching
    /// a handler.
    func letThrough(_ signal: Int32) throws(KVMFailure) {
        // struct kvm_signal_mask: a 32-bit length, then the kernel's 8-byte signal set.
        var mask = [UInt8](repeating: 0xFF, count: 12)
        mask.replaceSubrange(0..<4, with: [8, 0, 0, 0])
        let bit = Int(signal - 1)
        mask[4 + bit / 8] &= ~(1 << UInt8(bit % 8))
        let result = mask.withUnsafeMutableBytes {
            ioctl(processor.number, carpel_kvm_set_signal_mask, $0.baseAddress ?? memory.address)
        }
        try Self.check(result, "set its signal mask")
    }

    private func enterLongMode() throws(KVMFailure) {
        // Present and writable; the last one maps 2 MiB at address 0.
        memory.address.storeBytes(
            of: UInt64(Layout.directoryPointers | 3), toByteOffset: Layout.pageMapLevel4, as: UInt64.self)
        memory.address.storeBytes(
            of: UInt64(Layout.directory | 3), toByteOffset: Layout.directoryPointers, as: UInt64.self)
        memory.address.storeBytes(of: UInt64(0x83), toByteOffset: Layout.directory, as: UInt64.self)
        var registers = kvm_sregs()
        try Self.check(ioctl(processor.number, carpel_kvm_get_sregs, &registers), "read its system registers")
        registers.cr3 = UInt64(Layout.pageMapLevel4)
        registers.cr4 = 1 << 5  // physical address extension
        registers.cr0 = 1 << 31 | 1 << 5 | 1 << 4 | 1  // paging, numeric error, extension type, protection
        registers.efer = 1 << 10 | 1 << 8  // long mode active, enabled
        var segment = kvm_segment()
        segment.limit = 0xFFFF_FFFF
        (segment.present, segment.s, segment.g) = (1, 1, 1)
        (segment.type, segment.selector, segment.l) = (11, 8, 1)
        registers.cs = segment
        (segment.type, segment.selector, segment.l, segment.db) = (3, 16, 0, 1)
        (registers.ds, registers.es, registers.fs) = (segment, segment, segment)
        (registers.gs, registers.ss) = (segment, segment)
        try Self.check(ioctl(processor.number, carpel_kvm_set_sregs, &registers), "set its system registers")
    }

    @discardableResult
    private static func check(_ result: Int32, _ step: String) throws(KVMFailure) -> Int32 {
        guard result >= 0 else { throw KVMFailure(step: step, errno: errno) }
        return result
    }
}

/// Closed with the object.
private final class Descriptor {
    let number: Int32

    init(_ number: Int32) { self.number = number }
    deinit { close(number) }
}

/// Unmapped with the object.
private final class Mapping {
    let address: UnsafeMutableRawPointer
    private let size: Int

    init(size: Int, flags: Int32, descriptor: Int32 = -1) throws(KVMFailure) {
        let address = mmap(nil, size, PROT_READ | PROT_WRITE, flags, descriptor, 0)
        guard let address, address != MAP_FAILED else { throw KVMFailure(step: "map its memory", errno: errno) }
        (self.address, self.size) = (address, size)
    }

    deinit { munmap(address, size) }
}

/// The step in which KVM failed.
struct KVMFailure: Error {
    let step: String
    let errno: Int32

    var wasInterrupted: Bool { errno == EINTR }
    var description: String {
        errno == 0 ? "could not \(step)" : "could not \(step): \(String(cString: strerror(errno)))"
    }
}
