// SPDX-License-Identifier: Apache-2.0
//
// What a program has used. As of the clocks of processor time, time counts as it
// passes; the kernel does not count more than that, and nothing of children.

#include "clock.h"
#include "errors.h"
#include "host.h"
#include "pages.h"
#include "physical_pages.h"
#include "system_calls.h"
#include "user.h"

#define TICKS_PER_SECOND 100
#define KIBIBYTE 1024

enum { RUSAGE_CHILDREN = -1, RUSAGE_SELF = 0, RUSAGE_THREAD = 1 };

struct usage {
    int64_t user_seconds, user_microseconds;
    int64_t system_seconds, system_microseconds;
    // In KiB.
    int64_t largest_resident;
    int64_t not_counted[13];
};

int64_t system_call_getrusage(const uint64_t arguments[6])
{
    int32_t who = (int32_t)arguments[0];
    struct usage usage = { 0 };
    int64_t now;
    if (who != RUSAGE_SELF && who != RUSAGE_CHILDREN && who != RUSAGE_THREAD) {
        return -EINVAL;
    }
    if (who != RUSAGE_CHILDREN) {
        if (!host_clock(true, &now)) {
            return -EIO;
        }
        usage.user_seconds = now / NANOSECONDS;
        usage.user_microseconds = now % NANOSECONDS / (NANOSECONDS / MICROSECONDS);
        usage.largest_resident = (int64_t)(pages_used() * (PAGE_SIZE / KIBIBYTE));
    }
    return copy_to_user(arguments[1], &usage, sizeof usage) ? 0 : -EFAULT;
}

int64_t system_call_times(const uint64_t arguments[6])
{
    int64_t now;
    if (!host_clock(true, &now)) {
        return -EIO;
    }
    int64_t ticks = now / (NANOSECONDS / TICKS_PER_SECOND);
    // Of the program in its own code and in the kernel, and the same of its children.
    const int64_t times[4] = { ticks };
    return arguments[0] == 0 || copy_to_user(arguments[0], times, sizeof times) ? ticks : -EFAULT;
}
