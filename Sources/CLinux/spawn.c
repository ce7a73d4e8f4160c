#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "step.h"

// The child's end of the status socket, below everything that close_range closes.
enum { STATUS = 3 };

static _Noreturn void fail(int status, enum carpel_stage stage, int step) {
    struct carpel_report report = {.stage = stage, .step = step, .error = errno};
    while (write(status, &report, sizeof report) < 0 && errno == EINTR) {
    }
    _exit(127);
}

static void reset_signals(void) {
    struct sigaction action = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++) sigaction(number, &action, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static int write_text(const char *path, const char *text) {
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return -1;
    ssize_t written = write(file, text, strlen(text));
    close(file);
    return written < 0 ? -1 : 0;
}

static int set_oom_score_adjustment(int value) {
    char text[16];
    snprintf(text, sizeof text, "%d", value);
    return write_text("/proc/self/oom_score_adj", text);
}

// Opens a terminal in this process's own /dev/pts and makes it the controlling one. The caller gets the master.
static int open_terminal(int status, uint32_t uid) {
    int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0 || unlockpt(master) < 0) return -1;
    int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
    if (slave < 0 || fchown(slave, uid, -1) < 0 || ioctl(slave, TIOCSCTTY, 0) < 0) return -1;

    struct carpel_report report = {.stage = CARPEL_STAGE_TERMINAL_READY};
    struct iovec bytes = {.iov_base = &report, .iov_len = sizeof report};
    union {
        char space[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct msghdr message = {
        .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &master, sizeof master);
    if (sendmsg(status, &message, 0) < 0) return -1;

    for (int number = 0; number < 3; number++)
        if (dup2(slave, number) < 0) return -1;
    return 0;
}

// The pipes belong to the process, so that it can open them again as /dev/stdout.
static int place_standard(const int standard[3], uint32_t uid) {
    int copies[3];
    for (int number = 0; number < 3; number++) {
        copies[number] = fcntl(standard[number], F_DUPFD, STATUS + 1);
        if (copies[number] < 0) return -1;
    }
    for (int number = 0; number < 3; number++) {
        struct stat file;
        if (dup2(copies[number], number) < 0 || fstat(number, &file) < 0) return -1;
        if (S_ISFIFO(file.st_mode) && fchown(number, uid, -1) < 0) return -1;
    }
    return 0;
}

static int install_seccomp(const struct carpel_process *process) {
    struct sock_fprog program = {.len = process->seccomp_count, .filter = (struct sock_filter *)process->seccomp};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

static int drop_bounding_set(uint64_t keep) {
    for (int number = 0; number < 64 && prctl(PR_CAPBSET_READ, number, 0, 0, 0) >= 0; number++)
        if (!(keep >> number & 1) && prctl(PR_CAPBSET_DROP, number, 0, 0, 0) < 0) return -1;
    return 0;
}

// Nothing is inheritable or ambient: a program with inheritable file capabilities must not gain any by it.
static int set_capabilities(uint64_t mask) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {
        {.effective = (uint32_t)mask, .permitted = (uint32_t)mask},
        {.effective = (uint32_t)(mask >> 32), .permitted = (uint32_t)(mask >> 32)},
    };
    return (int)syscall(SYS_capset, &header, data);
}

static uint64_t known_capabilities(void) {
    uint64_t mask = 0;
    for (int number = 0; number < 64 && prctl(PR_CAPBSET_READ, number, 0, 0, 0) >= 0; number++)
        mask |= 1ULL << number;
    return mask;
}

// System calls instead of the library's functions: those would tell threads that this copy does not have.
static int become_user(const struct carpel_process *process) {
    if (syscall(SYS_setgroups, process->group_count, process->groups) < 0) return -1;
    if (syscall(SYS_setresgid, process->gid, process->gid, process->gid) < 0) return -1;
    return (int)syscall(SYS_setresuid, process->uid, process->uid, process->uid);
}

// As execvp(3), without its fallback to a shell and without allocating.
static void execute(const struct carpel_process *process) {
    const char *name = process->arguments[0];
    if (strchr(name, '/')) {
        execve(name, process->arguments, process->environment);
        return;
    }
    int worst = ENOENT;
    for (const char *folder = process->path; *name && *folder;) {
        size_t length = strcspn(folder, ":");
        char file[PATH_MAX];
        int needed = snprintf(file, sizeof file, "%.*s/%s", (int)length, length ? folder : ".", name);
        if (needed < (int)sizeof file) {
            execve(file, process->arguments, process->environment);
            if (errno != ENOENT && errno != ENOTDIR) worst = errno;
        }
        folder += length + (folder[length] == ':');
    }
    errno = worst;
}

static void set_limits(int status, const struct carpel_process *process) {
    for (size_t index = 0; index < process->limit_count; index++) {
        const struct carpel_limit *limit = &process->limits[index];
        struct rlimit value = {.rlim_cur = limit->soft, .rlim_max = limit->hard};
        if (setrlimit(limit->resource, &value) < 0) fail(status, CARPEL_STAGE_LIMITS, 0);
    }
}

static _Noreturn void run(const struct carpel_process *process, int socket) {
    reset_signals();
    umask(022);
    if (setsid() < 0) fail(socket, CARPEL_STAGE_OTHER, 0);
    if (set_oom_score_adjustment(process->oom_score_adjustment) < 0) fail(socket, CARPEL_STAGE_OTHER, 0);

    int slots[CARPEL_SLOTS];
    for (int slot = 0; slot < CARPEL_SLOTS; slot++) slots[slot] = -1;
    for (size_t index = 0; index < process->step_count; index++)
        if (carpel_do_step(&process->steps[index], slots) < 0) fail(socket, CARPEL_STAGE_STEP, (int)index);

    if (process->terminal ? open_terminal(socket, process->uid) : place_standard(process->standard, process->uid))
        fail(socket, CARPEL_STAGE_TERMINAL, 0);
    // No descriptor of the agent may be within reach of a working directory such as /proc/self/fd/5.
    int status = STATUS;
    if (socket != status && dup2(socket, status) < 0) fail(socket, CARPEL_STAGE_OTHER, 0);
    fcntl(status, F_SETFD, FD_CLOEXEC);
    if (close_range(status + 1, ~0U, 0) < 0) fail(status, CARPEL_STAGE_OTHER, 0);

    if (process->make_directory && carpel_make_directories(process->directory, true) < 0)
        fail(status, CARPEL_STAGE_DIRECTORY, 0);
    if (chdir(process->directory) < 0) fail(status, CARPEL_STAGE_DIRECTORY, 0);
    set_limits(status, process);

    // Without no_new_privs only a process with capabilities may install a filter; with it, the later the better.
    bool filtered = process->seccomp_count > 0;
    if (filtered && !process->no_new_privileges && install_seccomp(process) < 0)
        fail(status, CARPEL_STAGE_SECCOMP, 0);
    uint64_t capabilities = process->capabilities & known_capabilities();
    if (drop_bounding_set(capabilities) < 0) fail(status, CARPEL_STAGE_CAPABILITIES, 0);
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0) fail(status, CARPEL_STAGE_CAPABILITIES, 0);
    if (become_user(process) < 0) fail(status, CARPEL_STAGE_USER, 0);
    if (set_capabilities(capabilities) < 0) fail(status, CARPEL_STAGE_CAPABILITIES, 0);
    if (process->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        fail(status, CARPEL_STAGE_OTHER, 0);
    if (filtered && process->no_new_privileges && install_seccomp(process) < 0)
        fail(status, CARPEL_STAGE_SECCOMP, 0);

    execute(process);
    fail(status, CARPEL_STAGE_EXEC, 0);
}

static int clone_child(uint64_t flags, int cgroup, int *pidfd) {
    struct clone_args arguments = {.flags = flags, .exit_signal = SIGCHLD};
    if (pidfd) {
        arguments.flags |= CLONE_PIDFD;
        arguments.pidfd = (uint64_t)(uintptr_t)pidfd;
    }
    if (cgroup >= 0) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = (uint64_t)cgroup;
    }
    int pid = (int)syscall(SYS_clone3, &arguments, sizeof arguments);
    return pid < 0 ? -errno : pid;
}

int carpel_spawn(const struct carpel_process *process, int *pidfd, int *status) {
    int sockets[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0) return -errno;

    // A pid namespace is entered by children only, so that the caller joins it for a moment.
    int own = -1, error = 0;
    if (process->pid_namespace >= 0) {
        own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
        if (own < 0 || setns(process->pid_namespace, CLONE_NEWPID) < 0) error = -errno;
    }
    int pid = error ? error : clone_child(process->namespaces, process->cgroup, pidfd);
    if (pid == 0) {
        close(sockets[0]);
        run(process, sockets[1]);
    }
    if (own >= 0) {
        setns(own, CLONE_NEWPID);
        close(own);
    }
    close(sockets[1]);
    if (pid < 0) {
        close(sockets[0]);
        return pid;
    }
    *status = sockets[0];
    return pid;
}

int carpel_read_report(int status, struct carpel_report *report, int *descriptor) {
    struct iovec bytes = {.iov_base = report, .iov_len = sizeof *report};
    union {
        char space[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    struct msghdr message = {
        .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    *descriptor = -1;
    ssize_t count = recvmsg(status, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (count < 0) return -errno;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_type == SCM_RIGHTS) memcpy(descriptor, CMSG_DATA(header), sizeof *descriptor);
    return count == (ssize_t)sizeof *report;
}

int carpel_spawn_reaper(int cgroup) {
    int pid = clone_child(CLONE_NEWPID, cgroup, NULL);
    if (pid != 0) return pid;
    // A program of its own instead of this copy: a copy would keep every page that the agent changes later.
    reset_signals();
    set_oom_score_adjustment(-999);
    close_range(0, ~0U, 0);
    char *arguments[] = {(char *)"carpel-reaper", NULL};
    char *environment[] = {NULL};
    execve("/proc/self/exe", arguments, environment);
    _exit(127);
}

int carpel_spawn_steps(const struct carpel_step *steps, size_t count, int cgroup, int *status) {
    int sockets[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0) return -errno;
    int pid = clone_child(0, cgroup, NULL);
    if (pid == 0) {
        close(sockets[0]);
        reset_signals();
        set_oom_score_adjustment(0);
        int slots[CARPEL_SLOTS];
        for (int slot = 0; slot < CARPEL_SLOTS; slot++) slots[slot] = -1;
        for (size_t index = 0; index < count; index++)
            if (carpel_do_step(&steps[index], slots) < 0) fail(sockets[1], CARPEL_STAGE_STEP, (int)index);
        _exit(0);
    }
    close(sockets[1]);
    if (pid < 0) {
        close(sockets[0]);
        return pid;
    }
    *status = sockets[0];
    return pid;
}

// nftw has no place for the caller's own; this process does nothing else.
static struct carpel_tree measured;

static int measure_entry(const char *path, const struct stat *status, int type, struct FTW *position) {
    (void)path, (void)type;
    // The root is the volume, not something in it.
    if (position->level == 0) return 0;
    measured.bytes += (uint64_t)status->st_blocks * 512;
    measured.inodes += 1;
    return 0;
}

int carpel_spawn_measurer(const char *path, int descriptor, int cgroup) {
    int pid = clone_child(0, cgroup, NULL);
    if (pid != 0) return pid;
    reset_signals();
    set_oom_score_adjustment(0);
    measured = (struct carpel_tree){0};
    if (nftw(path, measure_entry, 16, FTW_PHYS | FTW_MOUNT) != 0) _exit(1);
    _exit(write(descriptor, &measured, sizeof measured) == sizeof measured ? 0 : 1);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *position) {
    (void)status, (void)type, (void)position;
    remove(path);
    return 0;
}

int carpel_spawn_remover(const char *path, int cgroup) {
    int pid = clone_child(0, cgroup, NULL);
    if (pid != 0) return pid;
    reset_signals();
    set_oom_score_adjustment(0);
    _exit(nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) == 0 ? 0 : 1);
}

int carpel_pidfd_open(pid_t pid) {
    int descriptor = (int)syscall(SYS_pidfd_open, pid, 0);
    return descriptor < 0 ? -errno : descriptor;
}

int carpel_pidfd_signal(int pidfd, int signal) {
    return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}
