#pragma once
#include <stddef.h>
#include <stdint.h>

/// Makes one syscall in a child of its own, behind `filter` (struct sock_filters, `length` bytes).
/// Returns its errno, 0 if it succeeded, or -1 if the child could not set up the filter or was killed.
int seccomp_testing_errno(const void *filter, size_t length, long number, const uint64_t arguments[6]);

/// Runs a program behind `filter`, with /dev/null as its output. Returns its status as of waitpid(2), or -1.
int seccomp_testing_run(const void *filter, size_t length, char *const program[]);
