import Glibc

extension SeccompProfile {
    /// CRI's RuntimeDefault: the syscalls that containerd's default profile allows (contrib/seccomp, 2.4), so
    /// that an image runs here as it does there. What differs: the guest's kernel is known, so that no rule asks for it,
    /// and x32 is left out, which that kernel does not run.
    package static let containerDefault = SeccompProfile(
        defaultAction: .errno,
        architectureMaps: [
            ArchitectureMap(architecture: "SCMP_ARCH_X86_64", subArchitectures: ["SCMP_ARCH_X86"]),
            ArchitectureMap(architecture: "SCMP_ARCH_AARCH64", subArchitectures: ["SCMP_ARCH_ARM"]),
        ],
        rules: DefaultSyscalls.groups.map { Rule(names: $0) } + socketRules + personalityRules + cloneRules
            + architectureRules + capabilityRules)

    /// socket(2) but for AF_ALG (38), a door to the kernel's cryptography with a record of holes, and AF_VSOCK (40),
    /// which ignores network namespaces and leads to the node. Three ranges leave out just the two: see `alternatives`
    /// for why they cannot be one rule. 32-bit programs that use socketcall(2) are not held by it.
    static let socketRules = [(38, Comparison.less), (39, .equal), (40, .greater)].map { family, comparison in
        Rule(names: ["socket"], arguments: [Argument(index: 0, value: family, comparison: comparison)])
    }

    /// personality(2) with PER_LINUX, PER_LINUX32 and UNAME26 with either, and 0xffffffff, which only asks.
    private static let personalityRules = [0, 0x8, 0x20000, 0x20008, 0xFFFF_FFFF].map { (value: UInt64) in
        Rule(names: ["personality"], arguments: [Argument(index: 0, value: value, comparison: .equal)])
    }

    /// Without CAP_SYS_ADMIN clone(2) makes no namespaces, and clone3(2), whose flags a filter cannot see, does not
    /// exist: C libraries then fall back to clone.
    private static let cloneRules = [
        Rule(
            names: ["clone"],
            arguments: [Argument(index: 0, value: newNamespaces, valueTwo: 0, comparison: .maskedEqual)],
            excludes: Condition(capabilities: ["CAP_SYS_ADMIN"])),
        Rule(
            names: ["clone3"], action: .errno, errno: UInt32(ENOSYS),
            excludes: Condition(capabilities: ["CAP_SYS_ADMIN"])),
    ]

    /// CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET of linux/sched.h.
    static let newNamespaces: UInt64 =
        0x2_0000 | 0x200_0000 | 0x400_0000 | 0x800_0000 | 0x1000_0000 | 0x2000_0000 | 0x4000_0000

    private static let architectureRules = [
        Rule(names: ["arch_prctl", "modify_ldt"], includes: Condition(architectures: ["amd64"])),
        Rule(
            names: [
                "arm_fadvise64_64", "arm_sync_file_range", "breakpoint", "cacheflush", "set_tls", "sync_file_range2",
            ],
            includes: Condition(architectures: ["arm64"])),
    ]

    private static let capabilityRules = DefaultSyscalls.ofCapabilities.map { capability, names in
        Rule(names: names, includes: Condition(capabilities: [capability]))
    }
}

/// Names by subject. Those newer than libseccomp are passed over when the profile is compiled.
enum DefaultSyscalls {
    static let groups = [
        files, directories, attributes, descriptors, polling, memory, processes, scheduling, identity, signals, time,
        sockets, systemV, asynchronous, security, system,
    ]

    static let files = [
        "access", "cachestat", "chmod", "chown", "chown32", "copy_file_range", "creat", "faccessat", "faccessat2",
        "fadvise64", "fadvise64_64", "fallocate", "fchmod", "fchmodat", "fchmodat2", "fchown", "fchown32", "fchownat",
        "fdatasync", "fstat", "fstat64", "fstatat64", "fstatfs", "fstatfs64", "fsync", "ftruncate", "ftruncate64",
        "futimesat", "lchown", "lchown32", "link", "linkat", "_llseek", "lseek", "lstat", "lstat64", "mknod", "mknodat",
        "name_to_handle_at", "newfstatat", "open", "openat", "openat2", "pread64", "preadv", "preadv2", "pwrite64",
        "pwritev", "pwritev2", "read", "readahead", "readlink", "readlinkat", "readv", "rename", "renameat",
        "renameat2", "sendfile", "sendfile64", "splice", "stat", "stat64", "statfs", "statfs64", "statx", "symlink",
        "symlinkat", "sync", "sync_file_range", "syncfs", "tee", "truncate", "truncate64", "umask", "unlink",
        "unlinkat", "utime", "utimensat", "utimensat_time64", "utimes", "vmsplice", "write", "writev",
    ]
    static let directories = [
        "chdir", "fchdir", "getcwd", "getdents", "getdents64", "listmount", "mkdir", "mkdirat", "rmdir", "statmount",
    ]
    static let attributes = [
        "fgetxattr", "flistxattr", "fremovexattr", "fsetxattr", "getxattr", "getxattrat", "lgetxattr", "listxattr",
        "listxattrat", "llistxattr", "lremovexattr", "lsetxattr", "removexattr", "removexattrat", "setxattr",
        "setxattrat",
    ]
    static let descriptors = [
        "close", "close_range", "dup", "dup2", "dup3", "eventfd", "eventfd2", "fcntl", "fcntl64", "flock", "ioctl",
        "memfd_create", "memfd_secret", "pidfd_open", "pidfd_send_signal", "pipe", "pipe2", "signalfd", "signalfd4",
        "timerfd_create", "timerfd_gettime", "timerfd_gettime64", "timerfd_settime", "timerfd_settime64",
    ]
    static let polling = [
        "epoll_create", "epoll_create1", "epoll_ctl", "epoll_ctl_old", "epoll_pwait", "epoll_pwait2", "epoll_wait",
        "epoll_wait_old", "fanotify_mark", "inotify_add_watch", "inotify_init", "inotify_init1", "inotify_rm_watch",
        "_newselect", "poll", "ppoll", "ppoll_time64", "pselect6", "pselect6_time64", "select",
    ]
    static let memory = [
        "brk", "madvise", "map_shadow_stack", "mincore", "mlock", "mlock2", "mlockall", "mmap", "mmap2", "mprotect",
        "mremap", "mseal", "msync", "munlock", "munlockall", "munmap", "pkey_alloc", "pkey_free", "pkey_mprotect",
        "process_vm_readv", "process_vm_writev", "remap_file_pages",
    ]
    static let processes = [
        "execve", "execveat", "exit", "exit_group", "fork", "futex", "futex_requeue", "futex_time64", "futex_wait",
        "futex_waitv", "futex_wake", "get_robust_list", "get_thread_area", "getpid", "getppid", "gettid", "membarrier",
        "prctl", "process_mrelease", "ptrace", "restart_syscall", "rseq", "set_robust_list", "set_thread_area",
        "set_tid_address", "uretprobe", "vfork", "wait4", "waitid", "waitpid",
    ]
    static let scheduling = [
        "getcpu", "getpriority", "getrlimit", "getrusage", "ioprio_get", "ioprio_set", "prlimit64",
        "sched_get_priority_max", "sched_get_priority_min", "sched_getaffinity", "sched_getattr", "sched_getparam",
        "sched_getscheduler", "sched_rr_get_interval", "sched_rr_get_interval_time64", "sched_setaffinity",
        "sched_setattr", "sched_setparam", "sched_setscheduler", "sched_yield", "setpriority", "setrlimit",
        "ugetrlimit",
    ]
    static let identity = [
        "capget", "capset", "getegid", "getegid32", "geteuid", "geteuid32", "getgid", "getgid32", "getgroups",
        "getgroups32", "getpgid", "getpgrp", "getresgid", "getresgid32", "getresuid", "getresuid32", "getsid",
        "getuid", "getuid32", "setfsgid", "setfsgid32", "setfsuid", "setfsuid32", "setgid", "setgid32", "setgroups",
        "setgroups32", "setpgid", "setregid", "setregid32", "setresgid", "setresgid32", "setresuid", "setresuid32",
        "setreuid", "setreuid32", "setsid", "setuid", "setuid32",
    ]
    static let signals = [
        "alarm", "kill", "pause", "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigqueueinfo", "rt_sigreturn",
        "rt_sigsuspend", "rt_sigtimedwait", "rt_sigtimedwait_time64", "rt_tgsigqueueinfo", "sigaltstack", "sigprocmask",
        "sigreturn", "tgkill", "tkill",
    ]
    /// That a clock may be set is a matter of CAP_SYS_TIME; the two adjtime calls also only read.
    static let time = [
        "adjtimex", "clock_adjtime", "clock_adjtime64", "clock_getres", "clock_getres_time64", "clock_gettime",
        "clock_gettime64", "clock_nanosleep", "clock_nanosleep_time64", "getitimer", "gettimeofday", "nanosleep",
        "setitimer", "time", "timer_create", "timer_delete", "timer_getoverrun", "timer_gettime", "timer_gettime64",
        "timer_settime", "timer_settime64", "times",
    ]
    /// But for socket(2) itself, which has rules of its own.
    static let sockets = [
        "accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt", "listen", "recv",
        "recvfrom", "recvmmsg", "recvmmsg_time64", "recvmsg", "send", "sendmmsg", "sendmsg", "sendto", "setsockopt",
        "shutdown", "socketcall", "socketpair",
    ]
    static let systemV = [
        "ipc", "mq_getsetattr", "mq_notify", "mq_open", "mq_timedreceive", "mq_timedreceive_time64", "mq_timedsend",
        "mq_timedsend_time64", "mq_unlink", "msgctl", "msgget", "msgrcv", "msgsnd", "semctl", "semget", "semop",
        "semtimedop", "semtimedop_time64", "shmat", "shmctl", "shmdt", "shmget",
    ]
    /// Linux's older interface; io_uring, which passes by every filter, is refused.
    static let asynchronous = [
        "io_cancel", "io_destroy", "io_getevents", "io_pgetevents", "io_pgetevents_time64", "io_setup", "io_submit",
    ]
    static let security = [
        "getrandom", "landlock_add_rule", "landlock_create_ruleset", "landlock_restrict_self", "lsm_get_self_attr",
        "lsm_list_modules", "lsm_set_self_attr", "seccomp",
    ]
    static let system = ["sysinfo", "uname"]

    /// What a capability adds: its syscalls would fail without it anyway, and are fewer ways into the kernel then.
    static let ofCapabilities: [(capability: String, names: [String])] = [
        ("CAP_BPF", ["bpf"]),
        ("CAP_DAC_READ_SEARCH", ["open_by_handle_at"]),
        ("CAP_PERFMON", ["perf_event_open"]),
        (
            "CAP_SYS_ADMIN",
            [
                "bpf", "clone", "clone3", "fanotify_init", "fsconfig", "fsmount", "fsopen", "fspick", "lookup_dcookie",
                "mount", "mount_setattr", "move_mount", "open_tree", "perf_event_open", "quotactl", "quotactl_fd",
                "setdomainname", "sethostname", "setns", "syslog", "umount", "umount2", "unshare",
            ]
        ),
        ("CAP_SYS_BOOT", ["reboot"]),
        ("CAP_SYS_CHROOT", ["chroot"]),
        ("CAP_SYS_MODULE", ["delete_module", "finit_module", "init_module"]),
        ("CAP_SYS_NICE", ["get_mempolicy", "mbind", "set_mempolicy", "set_mempolicy_home_node"]),
        ("CAP_SYS_PACCT", ["acct"]),
        ("CAP_SYS_PTRACE", ["kcmp", "pidfd_getfd", "process_madvise"]),
        ("CAP_SYS_RAWIO", ["ioperm", "iopl"]),
        ("CAP_SYS_TIME", ["clock_settime", "clock_settime64", "settimeofday", "stime"]),
        ("CAP_SYS_TTY_CONFIG", ["vhangup"]),
        ("CAP_SYSLOG", ["syslog"]),
    ]
}
