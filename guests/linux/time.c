// SPDX-License-Identifier: Apache-2.0
//
// Clocks, sleeping and waiting.

#include "errors.h"
#include "host.h"
#include "system_calls.h"
#include "user.h"

#define NANOSECONDS 1000000000L
#define MOST_SECONDS (INT64_MAX / NANOSECONDS - 1)

enum { CLOCK_REALTIME = 0, CLOCK_MONOTONIC = 1, CLOCK_PROCESS = 2, CLOCK_THREAD = 3, CLOCK_MONOTONIC_RAW = 4,
       CLOCK_REALTIME_COARSE = 5, CLOCK_MONOTONIC_COARSE = 6, CLOCK_BOOTTIME = 7 };

#define TIMER_ABSTIME 1

#define FUTEX_WAIT 0
#define FUTEX_WAKE 1
#define FUTEX_WAKE_BITSET 10
#define FUTEX_COMMAND 0x7F

struct timespec {
    int64_t seconds;
    int64_t nanoseconds;
};

// Of the clocks here those of processor time count time as it passes.
static bool find_clock(uint64_t clock, bool *is_monotonic)
{
    *is_monotonic = clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE;
    return clock <= CLOCK_BOOTTIME;
}

static bool is_valid(const struct timespec *time)
{
    return time->seconds >= 0 && time->nanoseconds >= 0 && time->nanoseconds < NANOSECONDS;
}

static int64_t to_nanoseconds(const struct timespec *time)
{
    return time->seconds > MOST_SECONDS ? INT64_MAX : time->seconds * NANOSECONDS + time->nanoseconds;
}

int64_t system_call_clock_gettime(const uint64_t arguments[6])
{
    bool is_monotonic;
    int64_t now;
    if (!find_clock(arguments[0], &is_monotonic)) {
        return -EINVAL;
    }
    if (!host_clock(is_monotonic, &now)) {
        return -EIO;
    }
    const struct timespec time = { now / NANOSECONDS, now % NANOSECONDS };
    return copy_to_user(arguments[1], &time, sizeof time) ? 0 : -EFAULT;
}

int64_t system_call_clock_getres(const uint64_t arguments[6])
{
    const struct timespec resolution = { 0, 1 };
    bool is_monotonic;
    if (!find_clock(arguments[0], &is_monotonic)) {
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

static int64_t sleep_for(uint64_t address)
{
    struct timespec time;
    if (!copy_from_user(&time, address, sizeof time)) {
        return -EFAULT;
    }
    if (!is_valid(&time)) {
        return -EINVAL;
    }
    return host_sleep(to_nanoseconds(&time)) ? 0 : -EIO;
}

int64_t system_call_nanosleep(const uint64_t arguments[6])
{
    return sleep_for(arguments[0]);
}

int64_t system_call_clock_nanosleep(const uint64_t arguments[6])
{
    bool is_monotonic;
    if (!find_clock(arguments[0], &is_monotonic) || arguments[1] & TIMER_ABSTIME) {
        return -EINVAL;
    }
    return sleep_for(arguments[2]);
}

static int64_t wait_for(uint64_t address, uint32_t expected, uint64_t timeout)
{
    uint32_t value;
    struct timespec time;
    if (address % sizeof value != 0) {
        return -EINVAL;
    }
    if (!copy_from_user(&value, address, sizeof value)) {
        return -EFAULT;
    }
    if (value != expected) {
        return -EAGAIN;
    }
    if (timeout == 0) {
        return -EDEADLK;
    }
    if (!copy_from_user(&time, timeout, sizeof time)) {
        return -EFAULT;
    }
    if (!is_valid(&time)) {
        return -EINVAL;
    }
    return host_sleep(to_nanoseconds(&time)) ? -ETIMEDOUT : -EIO;
}

int64_t system_call_futex(const uint64_t arguments[6])
{
    switch (arguments[1] & FUTEX_COMMAND) {
    case FUTEX_WAIT:
        return wait_for(arguments[0], (uint32_t)arguments[2], arguments[3]);
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET:
        return 0;
    default:
        return -ENOSYS;
    }
}
