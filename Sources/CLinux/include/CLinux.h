#pragma once
// The parts of Linux that Swift cannot say: processes with namespaces, and system calls without a wrapper.
// Functions return a negative errno on failure unless they say otherwise.

#include <linux/sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/types.h>

// ---- Processes ----

// What a new process does to its surroundings before it becomes the program, in the order given.
enum carpel_step_kind {
    // mount(2) of `source` on `target` with `type`, `flags` and `data`.
    CARPEL_MOUNT,
    // Makes the directory `target` and its parents. With `flags` != 0 it must not be a symbolic link.
    CARPEL_DIRECTORY,
    // Makes the file `target` and its parents unless it is there.
    CARPEL_FILE,
    // mknod(2) of `target` with `mode`, `device`, and the owner `uid`, `gid`; replaces what is there.
    CARPEL_NODE,
    // A symbolic link `target` to `source`; replaces what is there.
    CARPEL_LINK,
    // Remembers a copy of the mount at `source` in `slot`, to be reached behind CARPEL_PIVOT.
    CARPEL_GRAB,
    // Mounts what `slot` remembers on `target`.
    CARPEL_PLACE,
    // As CARPEL_GRAB, of what lies at `type` inside the mount at `source`, with `flags` of carpel_grab. Symbolic links
    // that lead out of it are errors.
    CARPEL_GRAB_INSIDE,
    // As CARPEL_PLACE, on a directory or file that is made unless it is there, as what `slot` remembers is one.
    CARPEL_PLACE_MADE,
    // `target` becomes the root, the old one goes.
    CARPEL_PIVOT,
    // Makes the mount at `target` read-only; with `flags` != 0 makes it a mount first. Nothing if it is not there.
    CARPEL_READ_ONLY,
    // Hides `target` behind an empty read-only directory or /dev/null. Nothing if it is not there.
    CARPEL_MASK,
    // unshare(2) with `flags`.
    CARPEL_UNSHARE,
    // setns(2) to the namespaces `flags` of the process that the pidfd `slot` stands for.
    CARPEL_JOIN,
    // Looks at the directory or file at `type` inside the mount at `source`, which mounts what is to be mounted there
    // on demand.
    CARPEL_VISIT,
    // umount2(2) of `target` with `flags`. Nothing if nothing is mounted there.
    CARPEL_UNMOUNT,
    // Grows the file system of type `type` that is mounted at `target` to the length of its device.
    CARPEL_GROW,
    // Writes the file system at `target` to its disk and holds back changes. Nothing if it is frozen.
    CARPEL_FREEZE,
    // Lets changes through again. Nothing if it is not frozen.
    CARPEL_THAW,
};

enum carpel_grab {
    CARPEL_GRAB_READ_ONLY = 1,
    // What is mounted below it is grabbed too.
    CARPEL_GRAB_RECURSIVE = 2,
    // With CARPEL_GRAB_READ_ONLY: that is read-only too.
    CARPEL_GRAB_ALL_READ_ONLY = 4,
    // Directories that are missing are made, with the mode of the mount's root.
    CARPEL_GRAB_MAKE = 8,
};

struct carpel_step {
    enum carpel_step_kind kind;
    int slot;
    const char *source, *target, *type, *data;
    unsigned long flags;
    uint32_t mode, uid, gid;
    uint64_t device;
};

enum { CARPEL_SLOTS = 256 };

struct carpel_limit {
    int resource;
    uint64_t soft, hard;
};

struct carpel_process {
    // CLONE_NEW… of the namespaces to make.
    uint64_t namespaces;
    // The pid namespace to start in, or -1.
    int pid_namespace;
    // The directory of the cgroup to start in, or -1.
    int cgroup;
    int oom_score_adjustment;
    const struct carpel_step *steps;
    size_t step_count;

    // stdin, stdout, stderr; ignored with `terminal`, which makes one in the new process's /dev/pts.
    int standard[3];
    bool terminal;

    const char *directory;
    // Makes `directory` if it is not there.
    bool make_directory;
    const struct carpel_limit *limits;
    size_t limit_count;
    uint32_t uid, gid;
    const uint32_t *groups;
    size_t group_count;
    // Bounding, permitted and effective set.
    uint64_t capabilities;
    bool no_new_privileges;
    // struct sock_filter[seccomp_count]
    const void *seccomp;
    uint16_t seccomp_count;

    char *const *arguments;
    char *const *environment;
    // Where to look for arguments[0] if it holds no slash.
    const char *path;
};

// Where a new process got to.
enum carpel_stage {
    // The message carries the terminal's master.
    CARPEL_STAGE_TERMINAL_READY = 1,
    // Failures. `step` is the index of the step.
    CARPEL_STAGE_STEP,
    CARPEL_STAGE_TERMINAL,
    CARPEL_STAGE_DIRECTORY,
    CARPEL_STAGE_LIMITS,
    CARPEL_STAGE_SECCOMP,
    CARPEL_STAGE_CAPABILITIES,
    CARPEL_STAGE_USER,
    CARPEL_STAGE_EXEC,
    CARPEL_STAGE_OTHER,
};

struct carpel_report {
    int32_t stage;
    int32_t step;
    int32_t error;
};

// Starts a process. `status` becomes a socket that carries its reports and ends when it has become its program.
// Returns its pid. For a caller with one thread: the child is a copy of the caller until exec.
int carpel_spawn(const struct carpel_process *process, int *pidfd, int *status);

// 1: `report`, and `descriptor` unless -1, were read. 0: the program runs, or the process died without a word.
int carpel_read_report(int status, struct carpel_report *report, int *descriptor);

// Starts a process that does nothing but reap its orphans, in a pid namespace of its own. Returns its pid.
int carpel_spawn_reaper(int cgroup);

// Starts a process that does the steps, in the caller's namespaces, and ends with 0. `status` as for carpel_spawn.
// For what may take long or never end. Returns its pid.
int carpel_spawn_steps(const struct carpel_step *steps, size_t count, int cgroup, int *status);

// Starts a process that adds up what the tree at `path` takes on its disk, and writes it to `descriptor` as a
// struct carpel_tree. Returns its pid.
struct carpel_tree {
    uint64_t bytes, inodes;
};
int carpel_spawn_measurer(const char *path, int descriptor, int cgroup);

// Starts a process that removes the tree at `path`. Returns its pid.
int carpel_spawn_remover(const char *path, int cgroup);

int carpel_pidfd_open(pid_t pid);
int carpel_pidfd_signal(int pidfd, int signal);

// ---- Files ----

// openat2(2) with every symbolic link resolved inside the directory `root`.
int carpel_open_inside(const char *root, const char *path, int flags);

// Both ends are closed on exec.
int carpel_pipe(int ends[2]);

// ---- The machine ----

int carpel_load_module(int descriptor, const char *parameters);
int carpel_load_module_image(const void *image, size_t length, const char *parameters);
// Mixes `bytes` into the random number generator, counts them as full entropy, and reseeds it.
int carpel_add_entropy(const uint8_t *bytes, size_t count);
int carpel_interface_up(const char *name);
// Sends one message of rtnetlink(7) that asks for an acknowledgement, and waits for that.
int carpel_route_request(const void *message, size_t length);
int carpel_kernel_log_open(void);
// Loads the eBPF program and makes it decide which devices the cgroup may use.
int carpel_cgroup_device_filter(int cgroup, const uint64_t *instructions, size_t count);
int carpel_uevent_socket(void);
int carpel_set_namespace(int descriptor, int kind);
