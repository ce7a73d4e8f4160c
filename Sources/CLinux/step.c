#define _GNU_SOURCE
#include "step.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int carpel_make_directories(const char *path, bool last) {
    char copy[PATH_MAX];
    size_t length = strlen(path);
    if (length >= sizeof copy) return errno = ENAMETOOLONG, -1;
    memcpy(copy, path, length + 1);
    for (char *end = strchr(copy + 1, '/'); end; end = strchr(end + 1, '/')) {
        *end = 0;
        if (mkdir(copy, 0755) < 0 && errno != EEXIST) return -1;
        *end = '/';
    }
    if (last && mkdir(copy, 0755) < 0 && errno != EEXIST) return -1;
    return 0;
}

static int make_directory(const struct carpel_step *step) {
    if (carpel_make_directories(step->target, true) < 0) return -1;
    struct stat file;
    if (!step->flags) return 0;
    if (lstat(step->target, &file) < 0) return -1;
    return S_ISDIR(file.st_mode) ? 0 : (errno = ENOTDIR, -1);
}

static int make_file(const char *path) {
    if (access(path, F_OK) == 0) return 0;
    if (carpel_make_directories(path, false) < 0) return -1;
    // Images link /etc/resolv.conf to places that only a running system would fill.
    unlink(path);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (file < 0) return -1;
    return close(file);
}

static int make_node(const struct carpel_step *step) {
    if (carpel_make_directories(step->target, false) < 0) return -1;
    unlink(step->target);
    if (mknod(step->target, step->mode, (dev_t)step->device) < 0) return -1;
    if (lchown(step->target, step->uid, step->gid) < 0) return -1;
    return chmod(step->target, step->mode & 07777);
}

static int make_link(const struct carpel_step *step) {
    unlink(step->target);
    return symlink(step->source, step->target);
}

static int pivot(const char *path) {
    if (chdir(path) < 0 || syscall(SYS_pivot_root, ".", ".") < 0) return -1;
    // The old root now lies on top of the new one, and "." is still it.
    if (umount2(".", MNT_DETACH) < 0) return -1;
    return chdir("/");
}

static int make_read_only(const char *path, bool bind) {
    if (bind && mount(path, path, NULL, MS_BIND | MS_REC, NULL) < 0) return errno == ENOENT ? 0 : -1;
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
    return mount_setattr(AT_FDCWD, path, 0, &attributes, sizeof attributes);
}

static int mask(const char *path) {
    struct stat file;
    if (stat(path, &file) < 0) return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
    if (S_ISDIR(file.st_mode)) return mount("tmpfs", path, "tmpfs", MS_RDONLY, NULL);
    return mount("/dev/null", path, NULL, MS_BIND, NULL);
}

static int grab(const struct carpel_step *step, int slots[CARPEL_SLOTS]) {
    slots[step->slot] = open_tree(AT_FDCWD, step->source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    return slots[step->slot] < 0 ? -1 : 0;
}

static int place(const struct carpel_step *step, int slots[CARPEL_SLOTS]) {
    return move_mount(
        slots[step->slot], "", AT_FDCWD, step->target, MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS);
}

int carpel_do_step(const struct carpel_step *step, int slots[CARPEL_SLOTS]) {
    bool slotted = step->kind == CARPEL_GRAB || step->kind == CARPEL_PLACE;
    if (slotted && (step->slot < 0 || step->slot >= CARPEL_SLOTS)) return errno = EINVAL, -1;
    switch (step->kind) {
    case CARPEL_MOUNT: return mount(step->source, step->target, step->type, step->flags, step->data);
    case CARPEL_DIRECTORY: return make_directory(step);
    case CARPEL_FILE: return make_file(step->target);
    case CARPEL_NODE: return make_node(step);
    case CARPEL_LINK: return make_link(step);
    case CARPEL_GRAB: return grab(step, slots);
    case CARPEL_PLACE: return place(step, slots);
    case CARPEL_PIVOT: return pivot(step->target);
    case CARPEL_READ_ONLY: return make_read_only(step->target, step->flags != 0);
    case CARPEL_MASK: return mask(step->target);
    case CARPEL_UNSHARE: return unshare((int)step->flags);
    case CARPEL_JOIN: return setns(step->slot, (int)step->flags);
    }
    return errno = EINVAL, -1;
}
