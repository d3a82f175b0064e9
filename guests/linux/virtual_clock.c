// SPDX-License-Identifier: Apache-2.0

#include "virtual_clock.h"

// About what a system call takes where it takes longest.
#define CALL_TIME 10000

// With the wall clock of the year 2100, 64 bits have room for it.
#define LAST_TIME (1L << 62)

bool virtual_clock_in_use;

static struct {
    int64_t monotonic;
    // What the wall clock shows besides.
    int64_t difference;
} state;

void virtual_clock_start(int64_t wall)
{
    virtual_clock_in_use = wall >= 0;
    state.difference = wall - state.monotonic;
}

int64_t virtual_clock(bool is_monotonic)
{
    return is_monotonic ? state.monotonic : state.monotonic + state.difference;
}

void virtual_clock_pass_call(void)
{
    (void)virtual_clock_pass(CALL_TIME);
}

bool virtual_clock_pass(int64_t nanoseconds)
{
    if (nanoseconds > LAST_TIME - state.monotonic) {
        return false;
    }
    state.monotonic += nanoseconds;
    return true;
}
