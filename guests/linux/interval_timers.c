// SPDX-License-Identifier: Apache-2.0
//
// The interval timers, and their system calls.

#include "interval_timers.h"

#include "clock.h"
#include "countdown.h"
#include "errors.h"
#include "processes.h"
#include "scheduler.h"
#include "signals.h"
#include "system_calls.h"
#include "timers.h"
#include "user.h"

// Time counts as it passes for all of them.
enum { ITIMER_REAL = 0, ITIMER_VIRTUAL = 1, ITIMER_PROF = 2, INTERVAL_TIMERS = 3 };

static struct countdown interval_timers[MOST_PROCESSES][INTERVAL_TIMERS];
// Those behind were never used: each tick costs time that a program computes.
static unsigned intervals_end;

void interval_timers_forget(const struct process *process)
{
    for (unsigned i = 0; i < INTERVAL_TIMERS; i++) {
        interval_timers[process - processes][i] = (struct countdown){ .deadline = NEVER };
    }
    timers_note_change();
}

void interval_timers_clear(void)
{
    for (unsigned i = 0; i < MOST_PROCESSES; i++) {
        interval_timers_forget(&processes[i]);
    }
    intervals_end = 0;
}

static struct countdown *interval_timer(uint32_t which)
{
    unsigned index = (unsigned)(current_process - processes);
    intervals_end = (index + 1) * INTERVAL_TIMERS > intervals_end ? (index + 1) * INTERVAL_TIMERS : intervals_end;
    return &interval_timers[index][which];
}

int64_t interval_timers_next_deadline(void)
{
    int64_t next = NEVER;
    for (unsigned i = 0; i < intervals_end; i++) {
        int64_t deadline = interval_timers[i / INTERVAL_TIMERS][i % INTERVAL_TIMERS].deadline;
        next = deadline < next ? deadline : next;
    }
    return next;
}

static void send(struct process *process, unsigned which)
{
    static const uint8_t signal_numbers[] = { SIGALRM, SIGVTALRM, SIGPROF };
    const struct signal_info info = { .signal = signal_numbers[which], .code = SI_KERNEL };
    (void)signal_send_to_process(process, &info);
}

void interval_timers_expire(int64_t now)
{
    for (unsigned i = 0; i < intervals_end; i++) {
        struct countdown *countdown = &interval_timers[i / INTERVAL_TIMERS][i % INTERVAL_TIMERS];
        if (countdown->deadline <= now) {
            (void)countdown_expire(countdown, now);
            send(&processes[i / INTERVAL_TIMERS], i % INTERVAL_TIMERS);
        }
    }
}

int64_t system_call_alarm(const uint64_t arguments[6])
{
    struct countdown *timer = interval_timer(ITIMER_REAL);
    int64_t left = countdown_remaining(timer, MICROSECOND);
    int64_t error = countdown_arm(timer, (int64_t)(uint32_t)arguments[0] * NANOSECONDS, 0);
    // Rounded to a second, but not to 0.
    int64_t seconds = (left + NANOSECONDS / 2) / NANOSECONDS;
    return error != 0 ? error : left != 0 && seconds == 0 ? 1 : seconds;
}

static int64_t copy_interval_to_user(uint64_t address, int64_t left, int64_t interval)
{
    const int64_t words[4] = { interval / NANOSECONDS, interval % NANOSECONDS / MICROSECOND,
                               left / NANOSECONDS, left % NANOSECONDS / MICROSECOND };
    return copy_to_user(address, words, sizeof words) ? 0 : -EFAULT;
}

int64_t system_call_getitimer(const uint64_t arguments[6])
{
    if ((uint32_t)arguments[0] > ITIMER_PROF) {
        return -EINVAL;
    }
    const struct countdown *timer = interval_timer((uint32_t)arguments[0]);
    return copy_interval_to_user(arguments[1], countdown_remaining(timer, MICROSECOND), timer->interval);
}

int64_t system_call_setitimer(const uint64_t arguments[6])
{
    int64_t words[4] = { 0 };
    if (arguments[1] != 0 && !copy_from_user(words, arguments[1], sizeof words)) {
        return -EFAULT;
    }
    if ((uint32_t)arguments[0] > ITIMER_PROF) {
        return -EINVAL;
    }
    // Microseconds.
    struct timespec new_interval = { words[0], words[1] * MICROSECOND };
    struct timespec value = { words[2], words[3] * MICROSECOND };
    if ((uint64_t)words[1] >= MICROSECONDS || (uint64_t)words[3] >= MICROSECONDS || !timespec_is_valid(&new_interval) ||
        !timespec_is_valid(&value)) {
        return -EINVAL;
    }
    if ((uint32_t)arguments[0] == ITIMER_REAL && timespec_nanoseconds(&value) == 0) {
        // The others keep the interval.
        new_interval = (struct timespec){ 0 };
    }
    struct countdown *timer = interval_timer((uint32_t)arguments[0]);
    int64_t left = countdown_remaining(timer, MICROSECOND);
    int64_t interval = timer->interval;
    int64_t error = countdown_arm(timer, timespec_nanoseconds(&value), timespec_nanoseconds(&new_interval));
    if (error != 0 || arguments[2] == 0) {
        return error;
    }
    return copy_interval_to_user(arguments[2], left, interval);
}
