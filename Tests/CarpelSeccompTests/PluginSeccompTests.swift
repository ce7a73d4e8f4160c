import CSeccomp
import CSeccompTesting
import Glibc
import Testing

@testable import CarpelSeccomp

/// The profiles of plugins before the real kernel: a child installs the filter and makes the syscall.
@Suite struct PluginSeccompTests {
    private func errorNumber(_ profile: PluginSeccomp, _ name: String, _ arguments: [UInt64] = []) throws -> Int32 {
        let filter = try profile.profile.compile(for: SeccompTarget(capabilities: .all))
        let number = seccomp_syscall_resolve_name(name)
        try #require(number >= 0)
        let padded = arguments + Array(repeating: 0, count: 6 - arguments.count)
        return seccomp_testing_errno(filter, filter.count, Int(number), padded)
    }

    @Test(
        arguments: PluginSeccomp.allCases,
        [
            "ptrace", "process_vm_readv", "process_vm_writev", "bpf", "perf_event_open", "io_uring_setup",
            "userfaultfd",
            "init_module", "finit_module", "delete_module", "kexec_load", "keyctl", "add_key", "request_key",
            "open_by_handle_at", "name_to_handle_at", "settimeofday", "clock_settime", "adjtimex", "reboot", "swapon",
            "quotactl", "acct", "fsopen", "move_mount", "open_tree", "pivot_root", "iopl", "syslog", "kcmp",
            "pidfd_getfd", "personality", "sethostname", "chroot",
        ])
    func whatNoPluginHasBusinessWithIsNotPermitted(_ profile: PluginSeccomp, _ name: String) throws {
        #expect(try errorNumber(profile, name) == EPERM)
    }

    @Test(
        arguments: PluginSeccomp.allCases,
        [
            "getpid", "fallocate", "copy_file_range", "ioctl", "epoll_create1", "sched_yield", "fsync", "getrandom",
            "umask",
        ])
    func whatEveryPluginUsesReachesTheKernel(_ profile: PluginSeccomp, _ name: String) throws {
        let number = try errorNumber(profile, name)
        #expect(number != EPERM && number != ENOSYS)
    }

    @Test(arguments: ["setns", "umount2", "mount"])
    func namespacesAndMountsAreTheNetworksAlone(_ name: String) throws {
        #expect(try errorNumber(.network, name) != EPERM)
        #expect(try errorNumber(.storage, name) == EPERM)
        #expect(try errorNumber(.strict, name) == EPERM)
    }

    @Test(arguments: ["execve", "setsid", "socketpair", "kill"])
    func programsAreNotForStrictPlugins(_ name: String) throws {
        #expect(try errorNumber(.network, name) != EPERM)
        #expect(try errorNumber(.storage, name) != EPERM)
        #expect(try errorNumber(.strict, name) == EPERM)
    }

    @Test(arguments: [
        (AF_UNIX, true, true), (AF_INET, true, true), (AF_INET6, true, true), (AF_NETLINK, true, false),
        (AF_PACKET, true, false), (Int32(38), false, false), (Int32(40), false, false),
    ])
    func socketsAreLimitedByFamily(_ family: Int32, _ network: Bool, _ storage: Bool) throws {
        // A type that no family has: what passes the filter fails in the kernel with another error.
        let arguments = [UInt64(family), 99]
        #expect((try errorNumber(.network, "socket", arguments) != EPERM) == network)
        #expect((try errorNumber(.storage, "socket", arguments) != EPERM) == storage)
        #expect(try errorNumber(.strict, "socket", arguments) == EPERM)
    }

    @Test func processesAreLimitedByWhatTheyAre() throws {
        // Contradictory flags, which the kernel refuses with EINVAL: CLONE_SIGHAND without CLONE_VM, CLONE_FS with CLONE_NEWNS.
        let process: [UInt64] = [0x800]
        let thread: [UInt64] = [0x10000]
        let namespace: [UInt64] = [0x20200]
        #expect(try errorNumber(.strict, "clone", process) == EPERM)
        #expect(try errorNumber(.strict, "clone", thread) == EINVAL)
        #expect(try errorNumber(.storage, "clone", process) == EINVAL)
        #expect(try errorNumber(.storage, "clone", namespace) == EPERM)
        #expect(try errorNumber(.network, "clone", namespace) == EINVAL)
        for profile in PluginSeccomp.allCases { #expect(try errorNumber(profile, "clone3") == ENOSYS) }
    }
}
