import Glibc

/// The syscall filters that a plugin's manifest can name.
///
/// They list what is allowed; the rest fails with EPERM, which a plugin can tell its author, and what is newer than
/// the list with ENOSYS, which C libraries have an answer to. Refused to all, because no plugin has business with it and
/// each has been a way out of a confinement: ptrace and other processes' memory, bpf, perf events, io_uring (which
/// passes by every filter), userfaultfd, kernel modules and kexec, keys, file handles, clocks, reboot, swap, quotas,
/// accounting, and the mount calls that work on descriptors.
package enum PluginSeccomp: String, Sendable, CaseIterable {
    /// Everything of `storage`, sockets of all families but AF_ALG and AF_VSOCK, and the namespaces and mounts without
    /// which CNI's plugins do not work.
    case network
    /// Everything of `strict`, programs (qemu-img, mkfs), and sockets of AF_UNIX, AF_INET and AF_INET6.
    case storage
    /// Computation, threads and files. No programs, no sockets but those that are open, no signals to others.
    case strict

    package var profile: SeccompProfile {
        var rules = [
            SeccompProfile.Rule(names: Self.strictSyscalls),
            // What clone3(2) is asked for a filter cannot see. C libraries then use clone.
            SeccompProfile.Rule(names: ["clone3"], action: .errno, errno: UInt32(ENOSYS)),
        ]
        switch self {
        case .strict:
            rules.append(Self.threads)
        case .storage:
            rules += [SeccompProfile.Rule(names: Self.programSyscalls), Self.processes]
            rules += [AF_UNIX, AF_INET, AF_INET6].map(Self.sockets)
        case .network:
            rules.append(SeccompProfile.Rule(names: Self.programSyscalls + Self.namespaceSyscalls + ["clone"]))
            rules += SeccompProfile.socketRules
        }
        return SeccompProfile(defaultAction: .errno, rules: rules)
    }

    /// clone(2) with CLONE_THREAD.
    private static let threads = SeccompProfile.Rule(
        names: ["clone"],
        arguments: [.init(index: 0, value: 0x10000, valueTwo: 0x10000, comparison: .maskedEqual)])

    /// clone(2) without new namespaces.
    private static let processes = SeccompProfile.Rule(
        names: ["clone"],
        arguments: [.init(index: 0, value: SeccompProfile.newNamespaces, valueTwo: 0, comparison: .maskedEqual)])

    private static func sockets(_ family: Int32) -> SeccompProfile.Rule {
        SeccompProfile.Rule(
            names: ["socket"], arguments: [.init(index: 0, value: UInt64(family), comparison: .equal)])
    }

    private static let strictSyscalls: [String] = {
        let groups = [
            DefaultSyscalls.files, DefaultSyscalls.directories, DefaultSyscalls.attributes,
            DefaultSyscalls.descriptors, DefaultSyscalls.polling, DefaultSyscalls.memory, DefaultSyscalls.processes,
            DefaultSyscalls.scheduling, DefaultSyscalls.identity, DefaultSyscalls.signals, DefaultSyscalls.time,
            DefaultSyscalls.sockets, DefaultSyscalls.asynchronous, DefaultSyscalls.security, DefaultSyscalls.system,
            ["arch_prctl"],
        ]
        return groups.joined().filter { !never.contains($0) && !programSyscalls.contains($0) }
    }()

    /// Of the groups above.
    private static let never: Set<String> = [
        "adjtimex", "clock_adjtime", "clock_adjtime64", "fanotify_mark", "name_to_handle_at", "process_mrelease",
        "process_vm_readv", "process_vm_writev", "ptrace", "socketcall",
    ]

    private static let programSyscalls = [
        "accept", "accept4", "bind", "connect", "execve", "execveat", "fork", "kill", "listen", "mknod", "mknodat",
        "pidfd_open", "pidfd_send_signal", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "setfsgid", "setfsuid", "setgid",
        "setgroups", "setpgid", "setregid", "setresgid", "setresuid", "setreuid", "setsid", "setuid",
        "socketpair", "tkill", "vfork",
    ]

    private static let namespaceSyscalls = ["mount", "setns", "umount2", "unshare"]
}
