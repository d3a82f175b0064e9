// SPDX-License-Identifier: Apache-2.0
//
// The object that programs call instead of the system calls that read clocks, and its page of
// clocks: vdso/clock.c. All processes have the same two pages.

#ifndef LINUX_VDSO_H
#define LINUX_VDSO_H

#include <stdint.h>

struct area;

// At the start of a run: there is none.
void vdso_start(void);

// Maps it into the selected address space: where it is. 0 if programs have none: with a seed, where the
// host forbids them the time stamp counter, where that is not steady, and without memory.
uint64_t vdso_map(void);

// What /proc names an area of it. NULL for another one.
const char *vdso_name(const struct area *area);

#endif
