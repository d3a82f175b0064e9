// SPDX-License-Identifier: Apache-2.0
//
// From what a clock is computed between two questions to the host.

#ifndef LINUX_CLOCK_BASE_H
#define LINUX_CLOCK_BASE_H

#include <stdint.h>

// Nanoseconds per tick of the time stamp counter have so many bits behind the point.
#define RATE_BITS 32

struct clock_base {
    // What the clock showed, and the counter then.
    int64_t time;
    uint64_t ticks;
    uint64_t rate;
    // For fewer ticks than these it counts, 0 if it does not. The product of this and the rate has room in 64 bits.
    uint64_t limit;
};

// What programs compute clocks from: see vdso/clock.c. The wall clock, and the monotonic one.
struct clock_page {
    // Another one for each change.
    uint32_t number;
    struct clock_base bases[2];
};

// For elapsed ticks below the limit.
static inline int64_t clock_base_time(const struct clock_base *base, uint64_t elapsed)
{
    return base->time + (int64_t)(elapsed * base->rate >> RATE_BITS);
}

#endif
