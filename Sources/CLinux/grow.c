#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "step.h"

// Neither is in Debian 12's headers. Source: the kernel's fs/ext4/ext4.h and fs/xfs/libxfs/xfs_fs.h.
#define EXT4_IOC_RESIZE_FS _IOW('f', 16, uint64_t)

struct xfs_fsop_geom_v1 {
    uint32_t blocksize, rtextsize, agblocks, agcount, logblocks, sectsize, inodesize, imaxpct;
    uint64_t datablocks, rtblocks, rtextents, logstart;
    unsigned char uuid[16];
    uint32_t sunit, swidth;
    int32_t version;
    uint32_t flags, logsectsize, rtsectsize, dirblocksize;
};

struct xfs_growfs_data {
    uint64_t newblocks;
    uint32_t imaxpct;
};

#define XFS_IOC_FSGEOMETRY_V1 _IOR('X', 100, struct xfs_fsop_geom_v1)
#define XFS_IOC_FSGROWFSDATA _IOW('X', 110, struct xfs_growfs_data)

// The length in bytes of the block device that holds the file system of `folder`, 0 with errno if it is unknown.
static uint64_t device_length(int folder) {
    struct stat file;
    if (fstat(folder, &file) < 0) return 0;
    char path[64];
    snprintf(path, sizeof path, "/sys/dev/block/%u:%u/size", major(file.st_dev), minor(file.st_dev));
    int size = open(path, O_RDONLY | O_CLOEXEC);
    if (size < 0) return 0;
    char text[32] = {0};
    ssize_t count = read(size, text, sizeof text - 1);
    close(size);
    // In sectors of 512 bytes, whatever the device's own are.
    return count > 0 ? strtoull(text, NULL, 10) * 512 : 0;
}

static int grow_ext4(int folder, uint64_t length) {
    struct statfs status;
    if (fstatfs(folder, &status) < 0) return -1;
    uint64_t blocks = length / (uint64_t)status.f_bsize;
    if (ioctl(folder, EXT4_IOC_RESIZE_FS, &blocks) == 0) return 0;
    // The kernel takes no last group that is too short for what it has to hold; without that group it does.
    uint64_t group = (uint64_t)status.f_bsize * 8;
    if (errno != EINVAL || blocks % group == 0) return -1;
    blocks -= blocks % group;
    return ioctl(folder, EXT4_IOC_RESIZE_FS, &blocks) == 0 || errno == EINVAL ? 0 : -1;
}

static int grow_xfs(int folder, uint64_t length) {
    struct xfs_fsop_geom_v1 geometry;
    if (ioctl(folder, XFS_IOC_FSGEOMETRY_V1, &geometry) < 0) return -1;
    struct xfs_growfs_data wanted = {.newblocks = length / geometry.blocksize, .imaxpct = geometry.imaxpct};
    if (wanted.newblocks <= geometry.datablocks) return 0;
    return ioctl(folder, XFS_IOC_FSGROWFSDATA, &wanted);
}

int carpel_grow(const char *path, const char *type) {
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return -1;
    uint64_t length = device_length(folder);
    int result = -1;
    if (length == 0)
        errno = ENODEV;
    else
        result = strcmp(type, "xfs") == 0 ? grow_xfs(folder, length) : grow_ext4(folder, length);
    int error = errno;
    close(folder);
    return errno = error, result;
}
