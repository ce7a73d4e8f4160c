import CSeccomp
import CarpelCore
import Glibc

extension SeccompProfile {
    /// The profile as a program for the kernel.
    ///
    /// - Returns: `struct sock_filter`s as they lie in memory.
    /// - Throws: `.invalidArgument`/`seccompProfileInvalid`, `.unimplemented`/`seccompFeatureUnsupported`,
    ///   `.internal`/`seccompFailed`.
    package func compile(for target: SeccompTarget) throws -> [UInt8] {
        try checkFlags()
        let architectures = try chosenArchitectures(for: target)
        let defaultCode = try code(of: defaultAction, errno: defaultErrno)
        let filter = try SeccompFilter(defaultAction: defaultCode)
        try filter.choose(architectures)
        let rules = rules.filter { target.meets(includes: $0.includes, excludes: $0.excludes) }
        try filter.optimise(forRules: rules.reduce(0) { $0 + $1.names.count })
        for rule in rules { try add(rule, to: filter, unless: defaultCode) }
        let stub = answersNewSyscalls ? newSyscallStub(for: architectures) : []
        let program = try stub + filter.exported()
        guard program.count <= 4096 * 8 else {
            throw Self.invalid(
                "the profile makes \(program.count / 8) instructions; the kernel takes 4096 (BPF_MAXINSNS)")
        }
        return program
    }

    /// The flags are arguments of seccomp(2) and no part of a program; those that change nothing here are accepted.
    private func checkFlags() throws {
        // The filter is there before the process's first thread; the kernel's default since 5.16 is SPEC_ALLOW.
        let harmless = ["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"]
        if let flag = flags.first(where: { !harmless.contains($0) }) { throw Self.unsupported("the flag \(flag)") }
    }

    private static func unsupported(_ what: String) -> CarpelError {
        CarpelError(
            .unimplemented, "seccompFeatureUnsupported",
            "\(what) of seccomp profiles is not supported; take it out of the profile", field: field)
    }

    /// The guest's own architecture, always, and what the profile names and the guest can run.
    private func chosenArchitectures(for target: SeccompTarget) throws -> [SeccompArchitecture] {
        let known = target.knownArchitectures
        let map = architectureMaps.first { $0.architecture == known[0].profileName }
        let named = architectures + (map?.subArchitectures ?? [])
        if let name = named.first(where: { !$0.hasPrefix("SCMP_ARCH_") }) {
            throw Self.invalid("\"\(name)\" is no architecture; write it as SCMP_ARCH_X86_64")
        }
        return [known[0]] + known.dropFirst().filter { named.contains($0.profileName) }
    }

    private func code(of action: Action, errno: UInt32?) throws -> UInt32 {
        let number = errno ?? UInt32(EPERM)
        // MAX_ERRNO of linux/err.h; the kernel would silently use it in place of a greater one.
        guard number <= 4095 else { throw Self.invalid("errnoRet \(number) is greater than 4095") }
        switch action {
        case .kill, .killThread: return UInt32(SCMP_ACT_KILL_THREAD)
        case .killProcess: return UInt32(SCMP_ACT_KILL_PROCESS)
        case .trap: return UInt32(SCMP_ACT_TRAP)
        case .errno: return errnoAction(number)
        // A macro with an argument, which Swift does not import: SCMP_ACT_TRACE(number).
        case .trace: return 0x7FF0_0000 | number
        case .log: return UInt32(SCMP_ACT_LOG)
        case .allow: return UInt32(SCMP_ACT_ALLOW)
        case .notify: throw Self.unsupported("SCMP_ACT_NOTIFY")
        }
    }

    /// A rule that does what happens anyway is left out: libseccomp refuses it.
    private func add(_ rule: Rule, to filter: borrowing SeccompFilter, unless defaultCode: UInt32) throws {
        let code = try code(of: rule.action, errno: rule.errno)
        guard code != defaultCode else { return }
        if let argument = rule.arguments.first(where: { $0.index > 5 }) {
            throw Self.invalid("a syscall has the arguments 0 to 5, not \(argument.index)")
        }
        for name in rule.names {
            // Syscalls that libseccomp does not know are passed over, as runc does: profiles name the newest kernel's.
            let number = seccomp_syscall_resolve_name(name)
            guard number != Self.unknownSyscall else { continue }
            for conditions in rule.alternatives { try filter.add(number, name, code, conditions) }
        }
    }

    /// __NR_SCMP_ERROR
    static let unknownSyscall: Int32 = -1
}

/// SCMP_ACT_ERRNO(number), a macro with an argument, which Swift does not import.
func errnoAction(_ number: UInt32) -> UInt32 { 0x0005_0000 | number }

extension SeccompProfile.Rule {
    /// The conditions all together or, where two are on the same argument, each by itself: so runc reads them.
    fileprivate var alternatives: [[SeccompProfile.Argument]] {
        let indexes = Set(arguments.map(\.index))
        return indexes.count == arguments.count ? [arguments] : arguments.map { [$0] }
    }
}

/// libseccomp's filter under construction.
struct SeccompFilter: ~Copyable {
    private let context: scmp_filter_ctx

    init(defaultAction: UInt32) throws {
        guard let context = seccomp_init(defaultAction) else { throw Self.failed("start a filter", EINVAL) }
        self.context = context
    }

    deinit { seccomp_release(context) }

    /// Replaces the node's architecture, which a filter begins with.
    func choose(_ architectures: [SeccompArchitecture]) throws {
        for architecture in architectures {
            let result = seccomp_arch_add(context, architecture.token)
            guard result == 0 || result == -EEXIST else { throw Self.failed("filter \(architecture.name)", -result) }
        }
        let own = seccomp_arch_native()
        guard !architectures.contains(where: { $0.token == own }) else { return }
        let result = seccomp_arch_remove(context, own)
        guard result == 0 else { throw Self.failed("leave out the node's architecture", -result) }
    }

    /// A binary tree instead of a chain, from as many rules on as runc does it; it is a matter of speed alone.
    func optimise(forRules count: Int) throws {
        guard count > 32 else { return }
        let result = seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2)
        guard result == 0 || result == -EOPNOTSUPP else { throw Self.failed("optimise the filter", -result) }
    }

    func add(_ number: Int32, _ name: String, _ action: UInt32, _ conditions: [SeccompProfile.Argument]) throws {
        let comparisons = conditions.map {
            scmp_arg_cmp(arg: $0.index, op: $0.comparison.code, datum_a: $0.value, datum_b: $0.valueTwo)
        }
        let result = seccomp_rule_add_array(context, action, number, UInt32(comparisons.count), comparisons)
        guard result == 0 else {
            throw SeccompProfile.invalid(
                "the rule for \(name) contradicts another or cannot be expressed: \(String(cString: strerror(-result)))"
            )
        }
    }

    /// libseccomp before 2.6 writes to files alone.
    func exported() throws -> [UInt8] {
        let file = memfd_create("carpel-seccomp", UInt32(MFD_CLOEXEC))
        guard file >= 0 else { throw Self.failed("make a file in memory", errno) }
        defer { close(file) }
        let result = seccomp_export_bpf(context, file)
        guard result == 0 else { throw Self.failed("write the filter", -result) }
        let size = Int(lseek(file, 0, SEEK_END))
        let bytes = try [UInt8](unsafeUninitializedCapacity: max(size, 0)) { buffer, count in
            count = pread(file, buffer.baseAddress, max(size, 0), 0)
            guard count == size, count > 0 else {
                count = 0
                throw Self.failed("read the filter", EIO)
            }
        }
        return bytes
    }

    private static func failed(_ step: String, _ number: Int32) -> CarpelError {
        CarpelError(.internal, "seccompFailed", "libseccomp cannot \(step): \(String(cString: strerror(number)))")
    }
}

extension SeccompProfile.Comparison {
    fileprivate var code: scmp_compare {
        switch self {
        case .notEqual: SCMP_CMP_NE
        case .less: SCMP_CMP_LT
        case .lessOrEqual: SCMP_CMP_LE
        case .equal: SCMP_CMP_EQ
        case .greaterOrEqual: SCMP_CMP_GE
        case .greater: SCMP_CMP_GT
        case .maskedEqual: SCMP_CMP_MASKED_EQ
        }
    }
}
