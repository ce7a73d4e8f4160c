#define _GNU_SOURCE
#include "step.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
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

static int open_beneath(int root, const char *path, uint64_t flags) {
    struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    return (int)syscall(SYS_openat2, root, path, &how, sizeof how);
}

// Opens a directory, or else a file. As a directory first: only then is mounted what is mounted on demand.
static int open_either(int root, const char *path) {
    int found = open_beneath(root, path, O_PATH | O_DIRECTORY);
    return found < 0 && errno == ENOTDIR ? open_beneath(root, path, O_PATH) : found;
}

// Each part is opened from the root again, so that a link that somebody puts there meanwhile leads nowhere else.
static int make_beneath(int root, const char *path) {
    struct stat top;
    if (fstat(root, &top) < 0) return -1;
    char copy[PATH_MAX];
    size_t length = strlen(path);
    if (length >= sizeof copy) return errno = ENAMETOOLONG, -1;
    memcpy(copy, path, length + 1);
    int folder = open_beneath(root, ".", O_PATH | O_DIRECTORY);
    for (char *part = copy; folder >= 0 && *part;) {
        size_t size = strcspn(part, "/");
        char *end = part + size, after = *end;
        *end = 0;
        bool made = size > 0 && mkdirat(folder, part, 0700) == 0;
        bool failed = size > 0 && !made && errno != EEXIST;
        int error = errno;
        close(folder);
        if (failed) return errno = error, -1;
        folder = open_beneath(root, copy, O_RDONLY | O_DIRECTORY);
        // Not by mkdir, which the mask would take bits from. A set-group-ID bit is the new directory's already.
        if (made && folder >= 0 && fchmod(folder, top.st_mode & 07777) < 0) {
            close(folder);
            return -1;
        }
        *end = after;
        part = after ? end + 1 : end;
    }
    return folder;
}

static int find_inside(const struct carpel_step *step) {
    int root = open(step->source, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) return -1;
    int found = open_either(root, *step->type ? step->type : ".");
    if (found < 0 && errno == ENOENT && step->flags & CARPEL_GRAB_MAKE) found = make_beneath(root, step->type);
    int error = errno;
    close(root);
    return errno = error, found;
}

static int visit(const struct carpel_step *step) {
    int found = find_inside(step);
    return found < 0 ? -1 : close(found);
}

static int grab_inside(const struct carpel_step *step, int slots[CARPEL_SLOTS]) {
    int found = find_inside(step);
    if (found < 0) return -1;
    unsigned int below = step->flags & CARPEL_GRAB_RECURSIVE ? AT_RECURSIVE : 0;
    int tree = open_tree(found, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | below);
    int error = errno;
    close(found);
    if (tree < 0) return errno = error, -1;
    slots[step->slot] = tree;
    if (!(step->flags & CARPEL_GRAB_READ_ONLY)) return 0;
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
    unsigned int all = step->flags & CARPEL_GRAB_ALL_READ_ONLY ? AT_RECURSIVE : 0;
    return mount_setattr(tree, "", AT_EMPTY_PATH | all, &attributes, sizeof attributes);
}

static int grab(const struct carpel_step *step, int slots[CARPEL_SLOTS]) {
    slots[step->slot] = open_tree(AT_FDCWD, step->source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    return slots[step->slot] < 0 ? -1 : 0;
}

static int place(const struct carpel_step *step, int slots[CARPEL_SLOTS]) {
    return move_mount(
        slots[step->slot], "", AT_FDCWD, step->target, MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS);
}

static int place_made(const struct carpel_step *step, int slots[CARPEL_SLOTS]) {
    struct stat file;
    if (fstat(slots[step->slot], &file) < 0) return -1;
    bool directory = S_ISDIR(file.st_mode);
    if ((directory ? carpel_make_directories(step->target, true) : make_file(step->target)) < 0) return -1;
    return place(step, slots);
}

static int unmount(const struct carpel_step *step) {
    if (umount2(step->target, (int)step->flags | UMOUNT_NOFOLLOW) == 0) return 0;
    return errno == EINVAL || errno == ENOENT ? 0 : -1;
}

static int freeze(const char *path, bool frozen) {
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return -1;
    int result = ioctl(folder, frozen ? FIFREEZE : FITHAW, 0);
    // EBUSY: it is frozen, EINVAL: it is not.
    if (result < 0 && errno == (frozen ? EBUSY : EINVAL)) result = 0;
    int error = errno;
    close(folder);
    return errno = error, result;
}

int carpel_do_step(const struct carpel_step *step, int slots[CARPEL_SLOTS]) {
    bool slotted = step->kind == CARPEL_GRAB || step->kind == CARPEL_PLACE || step->kind == CARPEL_GRAB_INSIDE ||
                   step->kind == CARPEL_PLACE_MADE;
    if (slotted && (step->slot < 0 || step->slot >= CARPEL_SLOTS)) return errno = EINVAL, -1;
    switch (step->kind) {
    case CARPEL_MOUNT: return mount(step->source, step->target, step->type, step->flags, step->data);
    case CARPEL_DIRECTORY: return make_directory(step);
    case CARPEL_FILE: return make_file(step->target);
    case CARPEL_NODE: return make_node(step);
    case CARPEL_LINK: return make_link(step);
    case CARPEL_GRAB: return grab(step, slots);
    case CARPEL_PLACE: return place(step, slots);
    case CARPEL_GRAB_INSIDE: return grab_inside(step, slots);
    case CARPEL_PLACE_MADE: return place_made(step, slots);
    case CARPEL_PIVOT: return pivot(step->target);
    case CARPEL_READ_ONLY: return make_read_only(step->target, step->flags != 0);
    case CARPEL_MASK: return mask(step->target);
    case CARPEL_UNSHARE: return unshare((int)step->flags);
    case CARPEL_JOIN: return setns(step->slot, (int)step->flags);
    case CARPEL_VISIT: return visit(step);
    case CARPEL_UNMOUNT: return unmount(step);
    case CARPEL_GROW: return carpel_grow(step->target, step->type);
    case CARPEL_FREEZE: return freeze(step->target, true);
    case CARPEL_THAW: return freeze(step->target, false);
    }
    return errno = EINVAL, -1;
}
