// SPDX-License-Identifier: Apache-2.0

#include "virtual_clock.h"

// About what a system call takes where it takes longest.
#define CALL_TIME 10000

// With the wall clock of the year 2100, 64 bits have room for it.
#define LAST_TIME (1L << 62)

static struct {
    bool is_used;
    int64_t monotonic;
    // What the wall clock shows besides.
    int64_t difference;
} state;

void virtual_clock_start(int64_t wall)
{
    state.is_used = wall >= 0;
    state.difference = wall - state.monotonic;
}

bool virtual_clock_is_used(void)
{
    return state.is_used;
}

int64_t virtual_clock(bool is_monotonic)
{
    return is_monotonic ? state.monotonic : state.monotonic + state.difference;
}

void virtual_clock_pass_call(void)
{
    if (state.is_used) {
        (void)virtual_clock_pass(CALL_TIME);
    }
}

bool virtual_clock_pass(int64_t nanoseconds)
{
    if (nanoseconds > LAST_TIME - state.monotonic) {
        return false;
    }
    state.monotonic += nanoseconds;
    return true;
}
