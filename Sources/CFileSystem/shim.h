#pragma once
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

// glibc declares it for _GNU_SOURCE only, and defines the flag by a function-like macro.
static inline int carpel_memfd(const char *name) {
    const unsigned int close_on_exec = 1;
    return (int)syscall(SYS_memfd_create, name, close_on_exec);
}

// AT_EMPTY_PATH, AT_RECURSIVE and O_PATH, for the same reason.
static const unsigned int carpel_at_empty_path = 0x1000;
static const unsigned int carpel_at_recursive = 0x8000;
static const int carpel_open_path = 010000000;
