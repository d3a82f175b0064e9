// SPDX-License-Identifier: Apache-2.0

#include "timers.h"

#include "interval_timers.h"
#include "posix_timers.h"
#include "scheduler.h"

#include <stdbool.h>

// The first deadline of them all, unless one has changed since it was looked for: they
// are looked at at each tick.
static int64_t first_deadline = NEVER;
static bool has_changed;

void timers_clear(void)
{
    posix_timers_clear();
    interval_timers_clear();
}

void timers_forget(const struct process *process)
{
    posix_timers_forget(process);
    interval_timers_forget(process);
}

void timers_note_change(void)
{
    has_changed = true;
}

int64_t timers_next_deadline(void)
{
    if (has_changed) {
        int64_t of_posix = posix_timers_next_deadline();
        int64_t of_intervals = interval_timers_next_deadline();
        first_deadline = of_posix < of_intervals ? of_posix : of_intervals;
        has_changed = false;
    }
    return first_deadline;
}

void timers_expire(int64_t now)
{
    if (timers_next_deadline() > now) {
        return;
    }
    has_changed = true;
    posix_timers_expire(now);
    interval_timers_expire(now);
}
