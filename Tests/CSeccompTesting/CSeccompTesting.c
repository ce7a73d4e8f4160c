#define _GNU_SOURCE
#include "CSeccompTesting.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Between fork and exec or exit only what is safe in the child of a process with threads. */

static int install(const void *filter, size_t length) {
    struct sock_fprog program = {
        .len = (unsigned short)(length / sizeof(struct sock_filter)),
        .filter = (struct sock_filter *)filter,
    };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

static int status_of(pid_t child) {
    int status;
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) return -1;
    }
    return status;
}

int seccomp_testing_errno(const void *filter, size_t length, long number, const uint64_t arguments[6]) {
    pid_t child = fork();
    if (child < 0) return -1;
    if (child == 0) {
        if (install(filter, length) != 0) _exit(255);
        long result = syscall(
            number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
        _exit(result < 0 ? errno : 0);
    }
    int status = status_of(child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) == 255) return -1;
    return WEXITSTATUS(status);
}

int seccomp_testing_run(const void *filter, size_t length, char *const program[]) {
    pid_t child = fork();
    if (child < 0) return -1;
    if (child == 0) {
        int null = open("/dev/null", O_RDWR);
        if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0) _exit(254);
        /* The threads of a test block signals, and a shell waits for SIGCHLD. */
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        if (install(filter, length) != 0) _exit(255);
        execv(program[0], program);
        _exit(127);
    }
    return status_of(child);
}
