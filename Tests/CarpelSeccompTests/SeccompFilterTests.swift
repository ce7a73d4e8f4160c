import CSeccomp
import CSeccompTesting
import CarpelCore
import Glibc
import Testing

@testable import CarpelSeccomp

/// The default profile before the real kernel: a child installs the filter and makes the syscall.
@Suite struct SeccompFilterTests {
    private func filter(_ capabilities: CapabilitySet = .containerDefault) throws -> [UInt8] {
        try SeccompProfile.containerDefault.compile(for: SeccompTarget(capabilities: capabilities))
    }

    private func errorNumber(_ filter: [UInt8], _ name: String, _ arguments: [UInt64] = []) throws -> Int32 {
        let number = try #require(syscallNumber(name))
        let padded = arguments + Array(repeating: 0, count: 6 - arguments.count)
        return seccomp_testing_errno(filter, filter.count, number, padded)
    }

    @Test(arguments: [
        "unshare", "mount", "umount2", "keyctl", "add_key", "request_key", "bpf", "perf_event_open", "io_uring_setup",
        "init_module", "setns", "pivot_root", "swapon", "open_by_handle_at", "userfaultfd", "kexec_load",
        "settimeofday",
        "syslog", "acct", "iopl", "quotactl", "fsopen", "move_pages", "vhangup", "sethostname",
    ])
    func whatContainersHaveNoBusinessWithIsNotPermitted(_ name: String) throws {
        #expect(try errorNumber(filter(), name) == EPERM)
    }

    @Test(arguments: [
        "getpid", "ptrace", "sync", "sched_yield", "umask", "getuid", "landlock_create_ruleset", "capget",
    ])
    func whatProgramsUseReachesTheKernel(_ name: String) throws {
        let number = try errorNumber(filter(), name)
        #expect(number >= 0 && number != EPERM && number != ENOSYS)
    }

    @Test func aCapabilityOpensItsSyscalls() throws {
        let administrator = CapabilitySet.containerDefault.union(CapabilitySet(named: "SYS_ADMIN") ?? [])
        #expect(try errorNumber(filter(administrator), "unshare") == 0)
        #expect(try errorNumber(filter(administrator), "keyctl") == EPERM)
        #expect(try errorNumber(filter([]), "chroot") == EPERM)
        #expect(try errorNumber(filter(), "chroot") == EFAULT)
    }

    /// C libraries fall back to clone, whose flags a filter sees.
    @Test func clone3DoesNotExistWithoutTheCapability() throws {
        #expect(try errorNumber(filter(), "clone3") == ENOSYS)
        #expect(try errorNumber(filter(.all), "clone3") == EINVAL)
    }

    @Test func cloneMakesNoNamespaces() throws {
        let newUser: UInt64 = 0x1000_0000
        #expect(try errorNumber(filter(), "clone", [newUser | UInt64(SIGCHLD)]) == EPERM)
    }

    @Test(arguments: [(40, EPERM), (38, EPERM), (1, 0), (16, 0)] as [(UInt64, Int32)])
    func socketsOfTwoFamiliesAreNotPermitted(family: UInt64, expected: Int32) throws {
        #expect(try errorNumber(filter(), "socket", [family, 2]) == expected)
    }

    @Test(arguments: [(0xFFFF_FFFF, 0), (0, 0), (0x40000, EPERM)] as [(UInt64, Int32)])
    func personalitiesAreThoseThatWeakenNothing(value: UInt64, expected: Int32) throws {
        #expect(try errorNumber(filter(), "personality", [value]) == expected)
    }

    /// With EPERM a C library that is newer than the profile would not fall back to the older syscall.
    @Test func syscallsThatAreNewerThanTheProfileDoNotExist() throws {
        let (filter, none) = (try filter(), [UInt64](repeating: 0, count: 6))
        #expect(seccomp_testing_errno(filter, filter.count, 1000, none) == ENOSYS)
    }

    @Test func aShellAndItsChildrenRun() throws {
        let filter = try filter()
        let words = [
            "/bin/sh", "-c", "set -e; for i in 1 2 3; do ls -l / | cat | wc -l; done; (exit 0) & wait $!; sleep 0",
        ]
        let strings = words.map { strdup($0) }
        defer { strings.forEach { free($0) } }
        #expect(seccomp_testing_run(filter, filter.count, strings + [nil]) == 0)
    }

    @Test func aKeptProgramIsTheOneForItsCapabilities() throws {
        for set in [CapabilitySet.all, .containerDefault, [], .all] {
            #expect(try CompiledDefaults.program(for: set) == filter(set))
        }
    }

    @Test func theProgramFitsItsBounds() throws {
        let size = try filter(.all).count
        #expect(size % 8 == 0)
        #expect(size < 4096 * 8)
    }
}

/// The default profile on architectures that this machine need not be.
@Suite struct SeccompArchitectureTests {
    private static let (amd64, i386, arm64, arm): (UInt32, UInt32, UInt32, UInt32) =
        (0xC000_003E, 0x4000_0003, 0xC000_00B7, 0x4000_0028)
    private static let allow: UInt32 = 0x7FFF_0000
    private static let refuse: UInt32 = 0x0005_0001
    private static let absent: UInt32 = 0x0005_0026

    private func simulator(_ architecture: String) throws -> FilterSimulator {
        var target = SeccompTarget(capabilities: .containerDefault)
        target.architecture = architecture
        return FilterSimulator(try SeccompProfile.containerDefault.compile(for: target))
    }

    /// Numbers: the kernel's syscall tables of each architecture.
    @Test(arguments: [
        ("amd64", amd64, Int32(39), allow), ("amd64", amd64, 272, refuse), ("amd64", amd64, 435, absent),
        ("amd64", amd64, 600, absent), ("amd64", i386, 20, allow), ("amd64", i386, 310, refuse),
        ("amd64", i386, 600, absent), ("amd64", amd64, 158, allow), ("arm64", arm64, 172, allow),
        ("arm64", arm64, 97, refuse), ("arm64", arm64, 435, absent), ("arm64", arm64, 600, absent),
        ("arm64", arm, 20, allow), ("arm64", arm, 337, refuse), ("arm64", arm, 600, absent),
    ])
    func eachArchitectureHasItsOwnNumbers(
        guest: String, architecture: UInt32, number: Int32, action: UInt32
    ) throws {
        #expect(try simulator(guest).action(architecture: architecture, number: number) == action)
    }

    /// ARM keeps some syscalls at numbers far above the others, which are not newer for it.
    @Test func armsOwnNumbersAreNotTakenForNewOnes() throws {
        let cacheflush: Int32 = 0xF_0002
        #expect(try simulator("arm64").action(architecture: Self.arm, number: cacheflush) == Self.allow)
    }

    @Test func aForeignArchitectureIsKilled() throws {
        #expect(try simulator("amd64").action(architecture: Self.arm64, number: 39) == 0)
        #expect(try simulator("amd64").action(architecture: Self.amd64, number: 39 | 1 << 30) == 0)
    }
}

/// By libseccomp's table of this machine, or nil for what it does not have.
func syscallNumber(_ name: String) -> Int? {
    let number = seccomp_syscall_resolve_name(name)
    return number >= 0 ? Int(number) : nil
}
