// SPDX-License-Identifier: Apache-2.0
//
// The system calls that read clocks and sleep.

#include "clock.h"
#include "errors.h"
#include "host.h"
#include "scheduler.h"
#include "system_calls.h"
#include "user.h"

#define TIMER_ABSTIME 1

int64_t system_call_clock_gettime(const uint64_t arguments[6])
{
    bool is_monotonic;
    int64_t now;
    if (!clock_find(arguments[0], &is_monotonic)) {
        return -EINVAL;
    }
    if (!host_clock(is_monotonic, &now)) {
        return -EIO;
    }
    const struct timespec time = timespec_of(now);
    return copy_to_user(arguments[1], &time, sizeof time) ? 0 : -EFAULT;
}

// A program may not set clocks.
int64_t system_call_clock_settime(const uint64_t arguments[6])
{
    struct timespec time;
    if ((uint32_t)arguments[0] != CLOCK_REALTIME) {
        return -EINVAL;
    }
    if (!copy_from_user(&time, arguments[1], sizeof time)) {
        return -EFAULT;
    }
    return timespec_is_valid(&time) ? -EPERM : -EINVAL;
}

int64_t system_call_settimeofday(const uint64_t arguments[6])
{
    int64_t time[2];
    if (arguments[0] == 0) {
        return arguments[1] != 0 ? -EPERM : 0;
    }
    if (!copy_from_user(time, arguments[0], sizeof time)) {
        return -EFAULT;
    }
    return time[0] >= 0 && time[1] >= 0 && time[1] < 1000000 ? -EPERM : -EINVAL;
}

int64_t system_call_clock_getres(const uint64_t arguments[6])
{
    const struct timespec resolution = { 0, 1 };
    bool is_monotonic;
    if (!clock_find(arguments[0], &is_monotonic)) {
        return -EINVAL;
    }
    return arguments[1] == 0 || copy_to_user(arguments[1], &resolution, sizeof resolution) ? 0 : -EFAULT;
}

int64_t system_call_gettimeofday(const uint64_t arguments[6])
{
    int64_t now;
    if (!host_clock(false, &now)) {
        return -EIO;
    }
    const int64_t time[2] = { now / NANOSECONDS, now % NANOSECONDS / 1000 };
    const uint64_t zone = 0;
    bool is_copied = (arguments[0] == 0 || copy_to_user(arguments[0], time, sizeof time)) &&
                     (arguments[1] == 0 || copy_to_user(arguments[1], &zone, sizeof zone));
    return is_copied ? 0 : -EFAULT;
}

int64_t system_call_time(const uint64_t arguments[6])
{
    int64_t now;
    if (!host_clock(false, &now)) {
        return -EIO;
    }
    now /= NANOSECONDS;
    return arguments[0] == 0 || copy_to_user(arguments[0], &now, sizeof now) ? now : -EFAULT;
}

// `rest` is where the program wants to know how much of an interrupted sleep is left.
static int64_t sleep_until(int64_t deadline, int64_t wall_time, uint64_t rest)
{
    int64_t result;
    do {
        result = scheduler_wait_for_time(&system_call_nanosleep, deadline, wall_time);
    } while (result == 0);
    if (result == -ETIMEDOUT) {
        return 0;
    }
    const struct timespec time = timespec_of(rest != 0 ? time_until(deadline) : 0);
    return rest == 0 || copy_to_user(rest, &time, sizeof time) ? -EINTR : -EFAULT;
}

int64_t system_call_nanosleep(const uint64_t arguments[6])
{
    int64_t deadline;
    int64_t error = deadline_after(arguments[0], &deadline);
    return error != 0 ? error : sleep_until(deadline, 0, arguments[1]);
}

int64_t system_call_clock_nanosleep(const uint64_t arguments[6])
{
    bool is_monotonic;
    int64_t deadline;
    bool is_absolute = (arguments[1] & TIMER_ABSTIME) != 0;
    if (!clock_find(arguments[0], &is_monotonic)) {
        return -EINVAL;
    }
    if (!clock_has_timers(arguments[0]) || arguments[0] == CLOCK_THREAD) {
        return -EOPNOTSUPP;
    }
    int64_t wall_time = 0;
    int64_t error = is_absolute ? deadline_at(arguments[2], is_monotonic, &deadline, &wall_time)
                                : deadline_after(arguments[2], &deadline);
    return error != 0 ? error : sleep_until(deadline, wall_time, is_absolute ? 0 : arguments[3]);
}
