// SPDX-License-Identifier: Apache-2.0
//
// The clocks of a run with a seed: what they show follows from what the program did.
// Each system call takes a fixed time, a wait takes what it waits for and ends at once,
// and computing takes none. Only a wait for what comes from outside takes the real time.

#ifndef LINUX_VIRTUAL_CLOCK_H
#define LINUX_VIRTUAL_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

// `wall` is what the wall clock shows from now on, in nanoseconds since 1970, at most the
// year 2100. The monotonic clock goes on. Negative: the clocks are those of the host.
void virtual_clock_start(int64_t wall);

// Asked several times at each system call.
extern bool virtual_clock_in_use;
static inline bool virtual_clock_is_used(void)
{
    return virtual_clock_in_use;
}

// Nanoseconds, if it is used.
int64_t virtual_clock(bool is_monotonic);

// A system call begins, if it is used.
void virtual_clock_pass_call(void);

// A wait. False if it would not end before the clock does, after more than a hundred years.
bool virtual_clock_pass(int64_t nanoseconds);

#endif
