// SPDX-License-Identifier: Apache-2.0
//
// The limits that a program sets for itself (setrlimit). Each process has its own; a
// new one has those of its parent, and execve keeps them.

#ifndef LINUX_RESOURCE_LIMITS_H
#define LINUX_RESOURCE_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#define RESOURCES 16
#define UNLIMITED UINT64_MAX

// Those with an effect, or with a value at the start.
enum resource {
    RLIMIT_FSIZE = 1,
    RLIMIT_STACK = 3,
    RLIMIT_CORE = 4,
    RLIMIT_NPROC = 6,
    RLIMIT_NOFILE = 7,
    RLIMIT_AS = 9,
    RLIMIT_NICE = 13,
    RLIMIT_RTPRIO = 14,
};

struct resource_limit {
    // What counts, and up to where the process may raise it.
    uint64_t soft, hard;
};

// Those of the first process.
void resource_limits_start(struct resource_limit limits[RESOURCES]);

// What counts for the current process.
uint64_t resource_limit(enum resource resource);

// Whether the current process may map more. `freed` bytes of what it has go away.
bool resource_allows_memory(uint64_t size, uint64_t freed);

// Whether it may make a file this long; otherwise it is sent SIGXFSZ.
bool resource_allows_file_size(uint64_t size);

#endif
