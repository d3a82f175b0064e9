// SPDX-License-Identifier: Apache-2.0
//
// A time that counts down, once or again and again.

#ifndef LINUX_COUNTDOWN_H
#define LINUX_COUNTDOWN_H

#include <stdint.h>

// As many expirations are counted.
#define MOST_EXPIRATIONS 0x7FFFFFFFL

struct countdown {
    // NEVER if it is not armed.
    int64_t deadline;
    int64_t interval;
    // See clock.h.
    int64_t wall_time;
};

// Starts it with nanoseconds, or stops it with 0.
int64_t countdown_arm(struct countdown *countdown, int64_t value, int64_t interval);

// 0 if it is not armed. An armed one says `least` at least.
int64_t countdown_remaining(const struct countdown *countdown, int64_t least);

// Of one that has expired: arms it again, if it has an interval. How often it has
// expired besides.
uint32_t countdown_expire(struct countdown *countdown, int64_t now);

#endif
