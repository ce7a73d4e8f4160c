import CSeccomp

/// What a filter is compiled for.
package struct SeccompTarget: Sendable {
    /// Go's name of the guest's architecture, which is the node's.
    var architecture = nodeArchitecture
    /// The process's: rules may depend on them.
    var capabilities: CapabilitySet
    var kernel = KernelVersion.guest

    package init(capabilities: CapabilitySet) { self.capabilities = capabilities }
}

#if arch(arm64)
    private let nodeArchitecture = "arm64"
#else
    private let nodeArchitecture = "amd64"
#endif

/// A set of syscall numbers that programs on the guest's kernel can use.
struct SeccompArchitecture: Sendable, Hashable {
    /// libseccomp's name: `x86_64`.
    let name: String
    /// What the kernel calls it in `seccomp_data.arch`.
    let auditName: String
    /// Where its numbers begin. Source: __X32_SYSCALL_BIT.
    let firstNumber: UInt32

    static let x86_64 = SeccompArchitecture(name: "x86_64", auditName: "x86_64", firstNumber: 0)
    static let x86 = SeccompArchitecture(name: "x86", auditName: "x86", firstNumber: 0)
    static let x32 = SeccompArchitecture(name: "x32", auditName: "x86_64", firstNumber: 1 << 30)
    static let aarch64 = SeccompArchitecture(name: "aarch64", auditName: "aarch64", firstNumber: 0)
    static let arm = SeccompArchitecture(name: "arm", auditName: "arm", firstNumber: 0)

    /// As OCI writes it: `SCMP_ARCH_X86_64`.
    var profileName: String { "SCMP_ARCH_\(name.uppercased())" }
    /// libseccomp's SCMP_ARCH_ constant.
    var token: UInt32 { seccomp_arch_resolve_name(name) }
    /// The kernel's AUDIT_ARCH_ constant; libseccomp uses the same number for all but x32.
    var auditToken: UInt32 { seccomp_arch_resolve_name(auditName) }
}

extension SeccompTarget {
    /// The guest's own first, then those that its kernel also runs.
    var knownArchitectures: [SeccompArchitecture] {
        architecture == "arm64" ? [.aarch64, .arm] : [.x86_64, .x86, .x32]
    }

    func meets(includes: SeccompProfile.Condition, excludes: SeccompProfile.Condition) -> Bool {
        guard includes.capabilities.allSatisfy(holds) else { return false }
        guard includes.architectures.isEmpty || includes.architectures.contains(architecture) else { return false }
        if let least = includes.minKernel, kernel < least { return false }
        guard !excludes.capabilities.contains(where: holds), !excludes.architectures.contains(architecture) else {
            return false
        }
        if let least = excludes.minKernel, kernel >= least { return false }
        return true
    }

    private func holds(_ name: String) -> Bool {
        CapabilitySet(named: name).map(capabilities.isSuperset) ?? false
    }
}
