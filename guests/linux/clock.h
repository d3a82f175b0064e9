// SPDX-License-Identifier: Apache-2.0
//
// Times of the program, and deadlines from them.

#ifndef LINUX_CLOCK_H
#define LINUX_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

// Of a second.
#define NANOSECONDS 1000000000L
#define MICROSECONDS 1000000L

// In nanoseconds.
#define MICROSECOND 1000L
#define MILLISECOND 1000000L

enum { CLOCK_REALTIME = 0, CLOCK_MONOTONIC = 1, CLOCK_PROCESS = 2, CLOCK_THREAD = 3, CLOCK_MONOTONIC_RAW = 4,
       CLOCK_REALTIME_COARSE = 5, CLOCK_MONOTONIC_COARSE = 6, CLOCK_BOOTTIME = 7, CLOCK_TAI = 11 };

struct timespec {
    int64_t seconds;
    int64_t nanoseconds;
};

// Whether a clock exists, and whether it is of the monotonic kind. Those of
// processor time count time as it passes.
bool clock_find(uint64_t clock, bool *is_monotonic);

// Whether there are timers of a clock: not of one that is only read.
bool clock_has_timers(uint64_t clock);

bool timespec_is_valid(const struct timespec *time);

// INT64_MAX for what does not fit.
int64_t timespec_nanoseconds(const struct timespec *time);
struct timespec timespec_of(int64_t nanoseconds);

// The deadline of a relative time, or of an absolute one of a clock, that is at an
// address of the program: 0, -EFAULT, -EINVAL or -EIO. `wall_time` is the time if the clock
// is the wall clock, else 0.
int64_t deadline_after(uint64_t address, int64_t *deadline);
int64_t deadline_at(uint64_t address, bool is_monotonic, int64_t *deadline, int64_t *wall_time);

// Whether a deadline has come before the wall clock shows the time that it was made from: clocks that are
// computed go on somewhat differently. Then it gets later. 0 is no time of the wall clock.
bool deadline_is_early(int64_t wall_time, int64_t *deadline);

// The same with nanoseconds.
int64_t deadline_from(int64_t nanoseconds, int64_t *deadline);

// How long it is until a deadline; 0 if it has passed.
int64_t time_until(int64_t deadline);

#endif
