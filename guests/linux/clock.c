// SPDX-License-Identifier: Apache-2.0

#include "clock.h"

#include "errors.h"
#include "host.h"
#include "processes.h"
#include "scheduler.h"
#include "threads.h"
#include "user.h"

#define MOST_SECONDS (INT64_MAX / NANOSECONDS - 1)

// By how much the two clocks can differ, in nanoseconds, and more. What is beyond is a wall clock that was set, or
// another one after a checkpoint: a deadline counts from the call.
#define MOST_EARLY 20000000L

// Of processor time, by the number of a process or a thread (clock_getcpuclockid): its
// complement above three bits, of which two state what counts.
static bool is_of_processor_time(int32_t clock)
{
    const uint32_t id = ~((uint32_t)clock >> 3 | 7U << 29);
    const bool is_of_thread = (clock & 4) != 0;
    return clock < 0 && (clock & 3) != 3 && (id == 0 || (is_of_thread ? thread_find(id) != NULL : process_find(id) != NULL));
}

bool clock_find(uint64_t clock, bool *is_monotonic)
{
    if (is_of_processor_time((int32_t)clock)) {
        *is_monotonic = true;
        return true;
    }
    *is_monotonic = clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE && clock != CLOCK_TAI;
    return clock <= CLOCK_BOOTTIME || clock == CLOCK_TAI;
}

bool clock_has_timers(uint64_t clock)
{
    return clock != CLOCK_MONOTONIC_RAW && clock != CLOCK_REALTIME_COARSE && clock != CLOCK_MONOTONIC_COARSE;
}

bool timespec_is_valid(const struct timespec *time)
{
    return time->seconds >= 0 && time->nanoseconds >= 0 && time->nanoseconds < NANOSECONDS;
}

int64_t timespec_nanoseconds(const struct timespec *time)
{
    return time->seconds > MOST_SECONDS ? INT64_MAX : time->seconds * NANOSECONDS + time->nanoseconds;
}

struct timespec timespec_of(int64_t nanoseconds)
{
    return (struct timespec){ nanoseconds / NANOSECONDS, nanoseconds % NANOSECONDS };
}

static int64_t add(int64_t now, int64_t nanoseconds)
{
    return nanoseconds < NEVER - now ? now + nanoseconds : NEVER;
}

int64_t deadline_from(int64_t nanoseconds, int64_t *deadline)
{
    int64_t now;
    if (!host_clock(true, &now)) {
        return -EIO;
    }
    *deadline = add(now, nanoseconds);
    return 0;
}

static int64_t copy_time(uint64_t address, int64_t *nanoseconds)
{
    struct timespec time;
    if (!copy_from_user(&time, address, sizeof time)) {
        return -EFAULT;
    }
    *nanoseconds = timespec_nanoseconds(&time);
    return timespec_is_valid(&time) ? 0 : -EINVAL;
}

int64_t deadline_after(uint64_t address, int64_t *deadline)
{
    int64_t nanoseconds;
    int64_t error = copy_time(address, &nanoseconds);
    return error != 0 ? error : deadline_from(nanoseconds, deadline);
}

int64_t deadline_at(uint64_t address, bool is_monotonic, int64_t *deadline, int64_t *wall_time)
{
    int64_t time;
    int64_t now;
    int64_t error = copy_time(address, &time);
    if (error != 0) {
        return error;
    }
    *wall_time = is_monotonic ? 0 : time;
    if (is_monotonic) {
        *deadline = time;
        return 0;
    }
    if (!host_clock(false, &now)) {
        return -EIO;
    }
    return deadline_from(time > now ? time - now : 0, deadline);
}

bool deadline_is_early(int64_t wall_time, int64_t *deadline)
{
    int64_t now;
    return wall_time != 0 && host_clock(false, &now) && now < wall_time && wall_time - now <= MOST_EARLY &&
           deadline_from(wall_time - now, deadline) == 0;
}

int64_t time_until(int64_t deadline)
{
    int64_t now;
    return host_clock(true, &now) && deadline > now ? deadline - now : 0;
}
