// SPDX-License-Identifier: Apache-2.0
//
// Timers of timer_create.

#include "calls.h"
#include "signals.h"

#define NO_TIMER 12345
#define SECOND 1000000000L
#define MILLISECOND 1000000L
#define SIGNAL 40

enum { MONOTONIC = 1, PROCESS_TIME = 2, RAW = 4, COARSE = 5, BOOTTIME = 7, NO_CLOCK = 10 };
enum { BY_SIGNAL = 0, NOT_AT_ALL = 1, BY_THREAD = 2, TO_THREAD = 4 };

struct event {
    uint64_t value;
    int32_t signal, notification, thread;
    uint8_t padding[44];
};

static int64_t create(uint64_t clock, int32_t notification, int32_t signal, int32_t thread, int32_t *timer)
{
    const struct event event = { .value = 0x1234, .signal = signal, .notification = notification, .thread = thread };
    return call(CALL_TIMER_CREATE, clock, at(&event), at(timer), 0);
}

// In milliseconds.
static int64_t set(int32_t timer, int64_t value, int64_t interval, int64_t *previous)
{
    const int64_t times[4] = { interval / 1000, interval % 1000 * MILLISECOND, value / 1000, value % 1000 * MILLISECOND };
    return call(CALL_TIMER_SETTIME, (uint64_t)timer, 0, at(times), at(previous));
}

static void creation(void)
{
    int32_t timer = -1;
    int32_t thread = (int32_t)call(CALL_GETTID, 0, 0, 0, 0);
    int32_t parent = (int32_t)call(CALL_GETPPID, 0, 0, 0, 0);
    static const uint8_t clocks[] = { 0, MONOTONIC, PROCESS_TIME, 3, RAW, COARSE, 6, BOOTTIME, NO_CLOCK, 11 };
    for (size_t i = 0; i < sizeof clocks; i++) {
        print_line("clock", clocks[i]);
        print_line("create", create(clocks[i], BY_SIGNAL, SIGNAL, 0, &timer));
    }
    print_line("without an event", call(CALL_TIMER_CREATE, MONOTONIC, 0, at(&timer), 0));
    print_line("without a signal", create(MONOTONIC, NOT_AT_ALL, 0, 0, &timer));
    print_line("to the thread", create(MONOTONIC, TO_THREAD, SIGNAL, thread, &timer));
    print_line("to no thread", create(MONOTONIC, TO_THREAD, SIGNAL, NO_PROCESS, &timer));
    print_line("to a thread of another process", create(MONOTONIC, TO_THREAD, SIGNAL, parent, &timer));
    print_line("signal 0", create(MONOTONIC, BY_SIGNAL, 0, 0, &timer));
    print_line("signal 65", create(MONOTONIC, BY_SIGNAL, 65, 0, &timer));
    print_line("negative signal", create(MONOTONIC, BY_SIGNAL, -1, 0, &timer));
    print_line("no notification", create(MONOTONIC, 99, SIGNAL, 0, &timer));
    print_line("by a function", create(MONOTONIC, BY_THREAD, SIGNAL, 0, &timer));
    print_line("bad address of the event", call(CALL_TIMER_CREATE, MONOTONIC, BAD_ADDRESS, at(&timer), 0));
    print_line("bad address and no clock", call(CALL_TIMER_CREATE, NO_CLOCK, BAD_ADDRESS, at(&timer), 0));
    print_line("bad address of the timer", call(CALL_TIMER_CREATE, MONOTONIC, 0, BAD_ADDRESS, 0));
}

static void settings(void)
{
    int64_t times[4] = { -1, -1, -1, -1 };
    const int64_t wrong[4] = { 0, 0, 0, SECOND };
    const int64_t wrong_interval[4] = { 0, -1, 1, 0 };
    const int64_t negative[4] = { 0, 0, -1, 0 };
    int32_t timer = -1;
    create(MONOTONIC, BY_SIGNAL, SIGNAL, 0, &timer);
    print_line("gettime", call(CALL_TIMER_GETTIME, (uint64_t)timer, at(times), 0, 0));
    print_line("not set", times[0] | times[1] | times[2] | times[3]);
    print_line("settime", set(timer, 1000000, 5000, times));
    print_line("was not set", times[0] | times[1] | times[2] | times[3]);
    print_line("gettime", call(CALL_TIMER_GETTIME, (uint64_t)timer, at(times), 0, 0));
    print_line("interval", times[0]);
    print_line("rest", times[2] > 900 && times[2] <= 1000);
    print_line("end", set(timer, 0, 7000, times));
    print_line("previous interval", times[0]);
    print_line("previous rest", times[2] > 900 && times[2] <= 1000);
    print_line("gettime", call(CALL_TIMER_GETTIME, (uint64_t)timer, at(times), 0, 0));
    print_line("interval", times[0]);
    print_line("rest", times[2] | times[3]);
    print_line("no times", call(CALL_TIMER_SETTIME, (uint64_t)timer, 0, 0, 0));
    print_line("bad address", call(CALL_TIMER_SETTIME, (uint64_t)timer, 0, BAD_ADDRESS, 0));
    print_line("wrong time", call(CALL_TIMER_SETTIME, (uint64_t)timer, 0, at(wrong), 0));
    print_line("wrong interval", call(CALL_TIMER_SETTIME, (uint64_t)timer, 0, at(wrong_interval), 0));
    print_line("negative", call(CALL_TIMER_SETTIME, (uint64_t)timer, 0, at(negative), 0));
    print_line("bad address of the previous", call(CALL_TIMER_SETTIME, (uint64_t)timer, 0, at(times), BAD_ADDRESS));
    print_line("bad address", call(CALL_TIMER_GETTIME, (uint64_t)timer, BAD_ADDRESS, 0, 0));
    print_line("getoverrun", call(CALL_TIMER_GETOVERRUN, (uint64_t)timer, 0, 0, 0));
    print_line("delete", call(CALL_TIMER_DELETE, (uint64_t)timer, 0, 0, 0));
    print_line("delete again", call(CALL_TIMER_DELETE, (uint64_t)timer, 0, 0, 0));
    print_line("settime of none", set(timer, 1, 1, times));
    print_line("gettime of none", call(CALL_TIMER_GETTIME, NO_TIMER, at(times), 0, 0));
    print_line("getoverrun of none", call(CALL_TIMER_GETOVERRUN, NO_TIMER, 0, 0, 0));
    print_line("delete of a negative one", call(CALL_TIMER_DELETE, (uint64_t)-1, 0, 0, 0));
}

// One that only counts, and whose time has come.
static void counting(void)
{
    int64_t times[4] = { -1, -1, -1, -1 };
    const int64_t past[4] = { 0, 0, 0, 1 };
    int32_t timer = -1;
    create(MONOTONIC, NOT_AT_ALL, 0, 0, &timer);
    print_line("settime", call(CALL_TIMER_SETTIME, (uint64_t)timer, 1, at(past), 0));
    print_line("gettime", call(CALL_TIMER_GETTIME, (uint64_t)timer, at(times), 0, 0));
    print_line("rest", times[2] | times[3]);
    print_line("delete", call(CALL_TIMER_DELETE, (uint64_t)timer, 0, 0, 0));
}

static int64_t now(void)
{
    int64_t time[2];
    call(CALL_CLOCK_GETTIME, MONOTONIC, at(time), 0, 0);
    return time[0] * SECOND + time[1];
}

static void wait_until(int64_t time)
{
    const int64_t until[2] = { time / SECOND, time % SECOND };
    call(CALL_CLOCK_NANOSLEEP, MONOTONIC, 1, at(until), 0);
}

// The signal is blocked, and taken when the timer has expired more than once.
static void expirations(void)
{
    const uint64_t mask = 1UL << (SIGNAL - 1);
    struct info info = { 0 };
    int32_t timer = -1;
    const int64_t long_ago[4] = { 0, 0, 0, 1 };
    call(CALL_RT_SIGPROCMASK, 0, at(&mask), 0, 8);
    create(MONOTONIC, BY_SIGNAL, SIGNAL, 0, &timer);
    set(timer, 5, 0, NULL);
    print_line("once", call(CALL_RT_SIGTIMEDWAIT, at(&mask), at(&info), 0, 8));
    print_line("code", info.code);
    print_line("value", (int64_t)info.value);
    print_line("overruns", (int32_t)(info.address >> 32));
    print_line("getoverrun", call(CALL_TIMER_GETOVERRUN, (uint64_t)timer, 0, 0, 0));
    int64_t start = now();
    set(timer, 5, 5, NULL);
    wait_until(start + 100 * MILLISECOND);
    print_line("again", call(CALL_RT_SIGTIMEDWAIT, at(&mask), at(&info), 0, 8));
    print_line("overruns", (int32_t)(info.address >> 32) >= 15);
    print_line("getoverrun", call(CALL_TIMER_GETOVERRUN, (uint64_t)timer, 0, 0, 0) >= 15);
    set(timer, 0, 0, NULL);
    print_line("reset", call(CALL_TIMER_GETOVERRUN, (uint64_t)timer, 0, 0, 0));
    print_line("absolute", call(CALL_TIMER_SETTIME, (uint64_t)timer, 1, at(long_ago), 0));
    print_line("at once", call(CALL_RT_SIGTIMEDWAIT, at(&mask), at(&info), 0, 8));
    call(CALL_TIMER_DELETE, (uint64_t)timer, 0, 0, 0);
    int32_t thread = (int32_t)call(CALL_GETTID, 0, 0, 0, 0);
    create(MONOTONIC, TO_THREAD, SIGNAL, thread, &timer);
    set(timer, 1, 0, NULL);
    print_line("to the thread", call(CALL_RT_SIGTIMEDWAIT, at(&mask), at(&info), 0, 8));
    // Deleted with a signal that is pending.
    start = now();
    set(timer, 1, 0, NULL);
    wait_until(start + 20 * MILLISECOND);
    call(CALL_TIMER_DELETE, (uint64_t)timer, 0, 0, 0);
}

int timers(void)
{
    creation();
    settings();
    counting();
    expirations();
    return 0;
}
