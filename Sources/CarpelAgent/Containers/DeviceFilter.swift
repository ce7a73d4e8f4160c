import CLinux
import CarpelGuestProtocol
import Glibc

/// The eBPF program that decides which devices a cgroup may use.
///
/// The kernel calls it with `struct bpf_cgroup_dev_ctx`: the kind in the low and the access in the high half of
/// the first word, then major and minor. It allows by returning 1.
/// Source: linux/bpf.h, Documentation/bpf/instruction-set.rst.
struct DeviceFilter {
    struct Rule {
        var kind: ContainerSpec.Device.Kind
        var major: UInt32
        /// Nil: all of them.
        var minor: UInt32?
        var access: String
    }

    /// What every container may use: null, zero, full, random, urandom, tty, console, ptmx and its terminals.
    /// Making nodes is allowed for all kinds (a node is of no use without access).
    /// Source: OCI runtime specification, config-linux.md, "Default Devices"; the mknod rule is runc's.
    static let standard: [Rule] = [
        Rule(kind: .character, major: 1, minor: 3, access: "rwm"),
        Rule(kind: .character, major: 1, minor: 5, access: "rwm"),
        Rule(kind: .character, major: 1, minor: 7, access: "rwm"),
        Rule(kind: .character, major: 1, minor: 8, access: "rwm"),
        Rule(kind: .character, major: 1, minor: 9, access: "rwm"),
        Rule(kind: .character, major: 5, minor: 0, access: "rwm"),
        Rule(kind: .character, major: 5, minor: 2, access: "rwm"),
        Rule(kind: .character, major: 136, minor: nil, access: "rwm"),
    ]

    private enum Register: UInt8 {
        case result = 0, context = 1, kind = 2, access = 3, major = 4, minor = 5, scratch = 6
    }

    private(set) var instructions: [UInt64] = []

    init(_ rules: [Rule]) {
        load(.kind, offset: 0)
        copy(.access, .kind)
        shiftRight(.access, 16)
        and(.kind, 0xFFFF)
        load(.major, offset: 4)
        load(.minor, offset: 8)
        // Making any node is allowed, using it is another question.
        jumpUnlessEqual(.access, Self.make, over: 2)
        decide(1)
        for rule in rules { append(rule) }
        decide(0)
    }

    func attach(to cgroup: Cgroup) throws(GuestFailure) {
        let folder = try cgroup.open()
        try checkNegative(
            carpel_cgroup_device_filter(folder.number, instructions, instructions.count), .cgroupFailed,
            "attach the device filter")
    }

    private static let make: UInt32 = 1
    private static let bits: [Character: UInt32] = ["m": 1, "r": 2, "w": 4]

    private mutating func append(_ rule: Rule) {
        let allowed = rule.access.reduce(0 as UInt32) { $0 | (Self.bits[$1] ?? 0) }
        let checks: UInt16 = rule.minor == nil ? 5 : 6
        // Each jump leads behind the rule; two instructions of it decide.
        jumpUnlessEqual(.kind, rule.kind == .block ? 1 : 2, over: checks - 1 + 2)
        jumpUnlessEqual(.major, rule.major, over: checks - 2 + 2)
        if let minor = rule.minor { jumpUnlessEqual(.minor, minor, over: 3 + 2) }
        copy(.scratch, .access)
        and(.scratch, ~allowed & 7)  // What is asked beyond the rule.
        jumpUnlessEqual(.scratch, 0, over: 2)
        decide(1)
    }

    private mutating func emit(
        _ code: UInt8, _ target: Register, _ source: Register = .result, offset: UInt16 = 0, value: UInt32 = 0
    ) {
        let registers = target.rawValue | source.rawValue << 4
        instructions.append(
            UInt64(code) | UInt64(registers) << 8 | UInt64(offset) << 16 | UInt64(value) << 32)
    }

    // BPF_LDX | BPF_MEM | BPF_W
    private mutating func load(_ target: Register, offset: UInt16) { emit(0x61, target, .context, offset: offset) }
    // BPF_ALU: 32 bits wide. BPF_MOV | BPF_X, BPF_RSH | BPF_K, BPF_AND | BPF_K
    private mutating func copy(_ target: Register, _ source: Register) { emit(0xBC, target, source) }
    private mutating func shiftRight(_ target: Register, _ bits: UInt32) { emit(0x74, target, value: bits) }
    private mutating func and(_ target: Register, _ mask: UInt32) { emit(0x54, target, value: mask) }
    // BPF_JMP32 | BPF_JNE | BPF_K
    private mutating func jumpUnlessEqual(_ register: Register, _ value: UInt32, over count: UInt16) {
        emit(0x56, register, offset: count, value: value)
    }
    // BPF_ALU64 | BPF_MOV | BPF_K, BPF_JMP | BPF_EXIT
    private mutating func decide(_ result: UInt32) {
        emit(0xB7, .result, value: result)
        emit(0x95, .result)
    }
}
