#pragma once
#include <seccomp.h>
#include <linux/memfd.h>

/// memfd_create(2), which Swift's Glibc module leaves out.
int memfd_create(const char *name, unsigned int flags);
