#pragma once
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <stdio.h>
#include <sys/capability.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

// Swift does not import functions with a variable number of arguments.
static inline int carpel_prctl(int option, unsigned long argument) { return prctl(option, argument, 0, 0, 0); }

static inline int carpel_set_seccomp_filter(const struct sock_fprog *program) {
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0);
}

// Swift takes the variable for shared and unsafe.
static inline void carpel_write_output_by_lines(void) { setvbuf(stdout, NULL, _IOLBF, 0); }

// Macros with arguments, which Swift does not import either.
static const unsigned long carpel_securebits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED;
