#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static _Noreturn void reap_forever(void) {
    prctl(PR_SET_NAME, "carpel-reaper", 0, 0, 0);
    // Children of a process that ignores SIGCHLD never become zombies.
    signal(SIGCHLD, SIG_IGN);
    for (;;) pause();
}

// Without a console the kernel starts init with no descriptors, and the first file opened would be its stdout.
static void open_standard(void) {
    for (int number = 0; number < 3; number++) {
        if (fcntl(number, F_GETFD) >= 0) continue;
        int file = open("/dev/null", O_RDWR);
        if (file != number) close(file);
    }
}

// Runs before the Swift runtime is set up, which needs /proc. Does something only as init, that is in the agent:
// as the machine's init it mounts what is missing, as a pid namespace's it is the reaper.
static void preinit(int count, char **arguments, char **environment) {
    (void)environment;
    if (getpid() != 1 || count < 1) return;
    if (strcmp(arguments[0], "carpel-reaper") == 0) reap_forever();
    if (access("/proc/self", F_OK) == 0) return;
    mkdir("/proc", 0555);
    mkdir("/dev", 0755);
    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    mount("dev", "/dev", "devtmpfs", MS_NOSUID, NULL);
    open_standard();
}

__attribute__((section(".preinit_array"), used)) static void (*const carpel_preinit)(int, char **, char **) = preinit;
