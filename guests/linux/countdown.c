// SPDX-License-Identifier: Apache-2.0

#include "countdown.h"

#include "clock.h"
#include "scheduler.h"
#include "timers.h"

#include <stdbool.h>

int64_t countdown_arm(struct countdown *countdown, int64_t value, int64_t interval)
{
    *countdown = (struct countdown){ .deadline = NEVER, .interval = interval };
    timers_note_change();
    scheduler_note_deadline();
    return value != 0 ? deadline_from(value, &countdown->deadline) : 0;
}

int64_t countdown_remaining(const struct countdown *countdown, int64_t least)
{
    if (countdown->deadline == NEVER) {
        return 0;
    }
    int64_t left = time_until(countdown->deadline);
    return left > least ? left : least;
}

uint32_t countdown_expire(struct countdown *countdown, int64_t now)
{
    int64_t interval = countdown->interval;
    int64_t missed = interval != 0 ? (now - countdown->deadline) / interval : 0;
    if (interval == 0 || interval > NEVER - now) {
        countdown->deadline = NEVER;
    } else {
        countdown->deadline += (missed + 1) * interval;
        bool has_time = countdown->wall_time != 0 && interval <= NEVER - countdown->wall_time - missed * interval;
        countdown->wall_time = has_time ? countdown->wall_time + (missed + 1) * interval : 0;
    }
    return (uint32_t)(missed < MOST_EXPIRATIONS ? missed : MOST_EXPIRATIONS);
}
