import CSeccomp
import Glibc

extension SeccompProfile {
    /// Whether syscalls that are newer than the profile must be answered apart from its default.
    ///
    /// C libraries try a new syscall first and fall back to the old one on ENOSYS alone: with a default of EPERM a
    /// profile that is older than the image's C library breaks its programs. runc has the same remedy (patchbpf).
    var answersNewSyscalls: Bool {
        switch defaultAction {
        case .allow, .log, .trace: false
        case .errno: defaultErrno != UInt32(ENOSYS)
        case .kill, .killThread, .killProcess, .trap, .notify: true
        }
    }

    /// Instructions in front of the filter that return ENOSYS for numbers above the greatest that the profile names.
    ///
    /// All rules count, those for other capabilities too: their author knew the syscall. An architecture of which
    /// the profile names nothing is left to the filter.
    func newSyscallStub(for architectures: [SeccompArchitecture]) -> [UInt8] {
        let blocks = architectures.compactMap { architecture in
            greatestNumber(for: architecture).map { block(architecture, greatest: $0) }
        }
        guard !blocks.isEmpty else { return [] }
        return ([.load(offset: archOffset)] + blocks.joined()).flatMap(\.bytes)
    }

    private func greatestNumber(for architecture: SeccompArchitecture) -> UInt32? {
        let token = architecture.token
        let numbers = rules.lazy.flatMap(\.names).map { seccomp_syscall_resolve_name_arch(token, $0) }
        // Negative numbers stand for syscalls of other architectures.
        return numbers.filter { $0 >= 0 }.map { UInt32($0) & ~(1 << 30) }.filter { $0 < privateNumbers }.max()
    }

    /// Expects the architecture in the accumulator and leaves it there, so that blocks need no long jumps.
    private func block(_ architecture: SeccompArchitecture, greatest: UInt32) -> [SeccompInstruction] {
        let first = architecture.firstNumber
        return [
            .jump(.equal, architecture.auditToken, ifTrue: 0, ifFalse: 5),
            .load(offset: numberOffset),
            .jump(.greater, first + greatest, ifTrue: 0, ifFalse: 2),
            .jump(.greaterOrEqual, first + privateNumbers, ifTrue: 1, ifFalse: 0),
            .return(errnoAction(UInt32(ENOSYS))),
            .load(offset: archOffset),
        ]
    }
}

/// Where ARM keeps a few syscalls apart from the others (__ARM_NR_BASE); nobody else has numbers that great.
private let privateNumbers: UInt32 = 0xF_0000

/// Offsets in `struct seccomp_data` (linux/seccomp.h).
private let numberOffset: UInt32 = 0
private let archOffset: UInt32 = 4

/// A `struct sock_filter`. Source: linux/filter.h, linux/bpf_common.h.
struct SeccompInstruction {
    enum Jump: UInt16 {
        case equal = 0x15
        case greater = 0x25
        case greaterOrEqual = 0x35
    }

    var code: UInt16
    var jumpIfTrue: UInt8 = 0
    var jumpIfFalse: UInt8 = 0
    var value: UInt32

    static func load(offset: UInt32) -> Self { Self(code: 0x20, value: offset) }
    static func `return`(_ action: UInt32) -> Self { Self(code: 0x06, value: action) }
    static func jump(_ jump: Jump, _ value: UInt32, ifTrue: UInt8, ifFalse: UInt8) -> Self {
        Self(code: jump.rawValue, jumpIfTrue: ifTrue, jumpIfFalse: ifFalse, value: value)
    }

    /// In the node's byte order, which is the guest's.
    var bytes: [UInt8] {
        withUnsafeBytes(of: code, Array.init) + [jumpIfTrue, jumpIfFalse] + withUnsafeBytes(of: value, Array.init)
    }
}
