// SPDX-License-Identifier: Apache-2.0
//
// Clocks of programs without a system call: the object that the kernel maps into them.
// The page before it has what they are computed from. The kernel writes it only
// while no program runs, so that a read of it is complete if its number is the same
// before and after.

#include "../clock_base.h"

#include <stdbool.h>
#include <stddef.h>

#define EXPORTED __attribute__((visibility("default")))

enum { CALL_GETTIMEOFDAY = 96, CALL_TIME = 201, CALL_CLOCK_GETTIME = 228, CALL_CLOCK_GETRES = 229 };

#define NANOSECONDS 1000000000L

// As clock.h has them.
enum { CLOCK_REALTIME = 0, CLOCK_REALTIME_COARSE = 5, LAST_CLOCK = 7 };

// A counter with long ticks shows the same for some readings.
#define READINGS_IN_TICK 64

struct timespec {
    int64_t seconds;
    int64_t nanoseconds;
};

struct timeval {
    int64_t seconds;
    int64_t microseconds;
};

// vdso.ld places it.
extern const volatile struct clock_page clock_page __attribute__((visibility("hidden")));

static long call(long number, long one, void *two)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(one), "S"(two) : "rcx", "r11", "memory");
    return result;
}

static inline uint64_t read_ticks(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

// A counter that stands still would never come to the limit.
static inline bool goes_forward(uint64_t ticks)
{
    for (unsigned i = 0; i < READINGS_IN_TICK; i++) {
        int64_t difference = (int64_t)(read_ticks() - ticks);
        if (difference != 0) {
            return difference > 0;
        }
    }
    return false;
}

// False if the kernel has to be asked.
static inline bool read_clock(bool is_monotonic, uint64_t *nanoseconds)
{
    const volatile struct clock_base *shared = &clock_page.bases[is_monotonic];
    struct clock_base base;
    uint32_t number;
    uint64_t elapsed;
    do {
        number = clock_page.number;
        // The counter is not read before what the program has read until now.
        __asm__ volatile("lfence" : : : "memory");
        uint64_t ticks = read_ticks();
        base.time = shared->time;
        base.ticks = shared->ticks;
        base.rate = shared->rate;
        base.limit = shared->limit;
        elapsed = ticks - base.ticks;
        if (elapsed >= base.limit || !goes_forward(ticks)) {
            return false;
        }
    } while (clock_page.number != number);
    *nanoseconds = (uint64_t)clock_base_time(&base, elapsed);
    return true;
}

EXPORTED int __vdso_clock_gettime(int clock, struct timespec *time)
{
    uint64_t now;
    bool is_monotonic = clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE;
    if ((unsigned)clock > LAST_CLOCK || !read_clock(is_monotonic, &now)) {
        return (int)call(CALL_CLOCK_GETTIME, clock, time);
    }
    time->seconds = (int64_t)(now / NANOSECONDS);
    time->nanoseconds = (int64_t)(now % NANOSECONDS);
    return 0;
}

EXPORTED int __vdso_gettimeofday(struct timeval *time, void *zone)
{
    uint64_t now;
    if (!read_clock(false, &now)) {
        return (int)call(CALL_GETTIMEOFDAY, (long)time, zone);
    }
    if (time != NULL) {
        time->seconds = (int64_t)(now / NANOSECONDS);
        time->microseconds = (int64_t)(now % NANOSECONDS / 1000);
    }
    if (zone != NULL) {
        *(uint64_t *)zone = 0;
    }
    return 0;
}

EXPORTED int64_t __vdso_time(int64_t *time)
{
    uint64_t now;
    if (!read_clock(false, &now)) {
        return call(CALL_TIME, (long)time, NULL);
    }
    now /= NANOSECONDS;
    if (time != NULL) {
        *time = (int64_t)now;
    }
    return (int64_t)now;
}

EXPORTED int __vdso_clock_getres(int clock, struct timespec *resolution)
{
    if ((unsigned)clock > LAST_CLOCK) {
        return (int)call(CALL_CLOCK_GETRES, clock, resolution);
    }
    if (resolution != NULL) {
        *resolution = (struct timespec){ 0, 1 };
    }
    return 0;
}

#define SAME_AS(function) __attribute__((weak, alias(#function), visibility("default")))

int clock_gettime(int clock, struct timespec *time) SAME_AS(__vdso_clock_gettime);
int gettimeofday(struct timeval *time, void *zone) SAME_AS(__vdso_gettimeofday);
int64_t time(int64_t *time) SAME_AS(__vdso_time);
int clock_getres(int clock, struct timespec *resolution) SAME_AS(__vdso_clock_getres);
