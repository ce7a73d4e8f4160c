#pragma once
#include "CLinux.h"

// 0, or -1 with errno.
int carpel_do_step(const struct carpel_step *step, int slots[CARPEL_SLOTS]);
// Makes the directories on the way to `path`, and `path` itself if `last`.
int carpel_make_directories(const char *path, bool last);
// Grows the file system that is mounted at `path`, of `type` ext4 or xfs, to its device's length.
int carpel_grow(const char *path, const char *type);
