// SPDX-License-Identifier: Apache-2.0
//
// Clocks and sleeping. What time it is is not printed.

#include "calls.h"
#include "signals.h"

#define ABSOLUTE 1
#define SECOND 1000000000L
#define MILLISECOND 1000000L
#define CHILD_CLOCK_OF_NONE ((uint32_t)(~0x7FFFFF0U << 3 | 2))

enum { REALTIME = 0, MONOTONIC = 1, PROCESS_TIME = 2, THREAD_TIME = 3, RAW = 4, COARSE = 5, MONOTONIC_COARSE = 6,
       BOOTTIME = 7, NO_CLOCK = 10, TAI = 11, FAR_CLOCK = 1000 };

static const uint32_t known[] = { REALTIME, MONOTONIC, PROCESS_TIME, THREAD_TIME, RAW, COARSE, MONOTONIC_COARSE, BOOTTIME,
                                  NO_CLOCK, TAI, FAR_CLOCK, CHILD_CLOCK_OF_NONE };

static int64_t clock(uint64_t which)
{
    int64_t time[2];
    call(CALL_CLOCK_GETTIME, which, at(time), 0, 0);
    return time[0] * SECOND + time[1];
}

static int64_t sleep(uint64_t which, uint64_t flags, int64_t seconds, int64_t nanoseconds)
{
    const int64_t time[2] = { seconds, nanoseconds };
    return call(CALL_CLOCK_NANOSLEEP, which, flags, at(time), 0);
}

static void each_clock(void)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        int64_t time[2] = { -1, -1 };
        print_line("clock", (int32_t)known[i]);
        print_line("gettime", call(CALL_CLOCK_GETTIME, known[i], at(time), 0, 0));
        print_line("getres", call(CALL_CLOCK_GETRES, known[i], at(time), 0, 0));
        print_line("resolution", time[0] == 0 && time[1] > 0);
        print_line("sleep", sleep(known[i], ABSOLUTE, 0, 0));
    }
    print_line("getres of nothing", call(CALL_CLOCK_GETRES, MONOTONIC, 0, 0, 0));
    print_line("getres of no clock", call(CALL_CLOCK_GETRES, NO_CLOCK, 0, 0, 0));
    // A container may forbid it as well.
    const int64_t time[2] = { 1, 0 };
    print_line("settime", call(CALL_CLOCK_SETTIME, REALTIME, at(time), 0, 0));
    print_line("settimeofday", call(CALL_SETTIMEOFDAY, at(time), 0, 0, 0));
}

static void now(void)
{
    int64_t time[2], seconds = 0;
    int32_t zone[2];
    print_line("gettimeofday", call(CALL_GETTIMEOFDAY, at(time), at(zone), 0, 0));
    print_line("microseconds", time[1] >= 0 && time[1] < 1000000);
    print_line("only the zone", call(CALL_GETTIMEOFDAY, 0, at(zone), 0, 0));
    print_line("nothing", call(CALL_GETTIMEOFDAY, 0, 0, 0, 0));
    print_line("bad address", call(CALL_GETTIMEOFDAY, at(time), BAD_ADDRESS, 0, 0));
    int64_t result = call(CALL_TIME, at(&seconds), 0, 0, 0);
    // Linux reads the time of its last timer interrupt here. It can be in the second before.
    print_line("time", result == seconds && seconds >= time[0] - 1);
    print_line("without an address", call(CALL_TIME, 0, 0, 0, 0) >= seconds);
    print_line("the same clock", clock(REALTIME) / SECOND - seconds < 1000);
}

static void sleeps(void)
{
    const int64_t brief[2] = { 0, MILLISECOND };
    const int64_t negative[2] = { -1, 0 };
    const int64_t wrong[2] = { 0, SECOND };
    int64_t before = clock(MONOTONIC);
    print_line("nanosleep", call(CALL_NANOSLEEP, at(brief), BAD_ADDRESS, 0, 0));
    print_line("negative", call(CALL_NANOSLEEP, at(negative), 0, 0, 0));
    print_line("too much", call(CALL_NANOSLEEP, at(wrong), 0, 0, 0));
    print_line("relative", sleep(MONOTONIC, 0, 0, MILLISECOND));
    print_line("real time", sleep(REALTIME, 0, 0, MILLISECOND));
    print_line("since the start", sleep(BOOTTIME, 0, 0, MILLISECOND));
    print_line("passed", clock(MONOTONIC) - before >= 4 * MILLISECOND);
    int64_t until = clock(MONOTONIC) + MILLISECOND;
    print_line("until", sleep(MONOTONIC, ABSOLUTE, until / SECOND, until % SECOND));
    print_line("passed", clock(MONOTONIC) >= until);
    until = clock(REALTIME) + MILLISECOND;
    print_line("until", sleep(REALTIME, ABSOLUTE, until / SECOND, until % SECOND));
    print_line("negative", sleep(MONOTONIC, 0, -1, 0));
    print_line("negative nanoseconds", sleep(MONOTONIC, 0, 0, -1));
    print_line("too much", sleep(MONOTONIC, 0, 0, SECOND));
    print_line("bad address", call(CALL_CLOCK_NANOSLEEP, MONOTONIC, 0, BAD_ADDRESS, 0));
    print_line("other flags", sleep(MONOTONIC, 2, 0, 0));
}

static volatile int signals_received;

static void receive(int signal)
{
    signals_received += signal == 14;
}

// Signals come again and again, so that one of them comes during the wait.
static int64_t interrupted(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    const int64_t interval[4] = { 0, 20000, 0, 20000 };
    const int64_t none[4] = { 0 };
    signals_received = 0;
    call(CALL_SETITIMER, 0, at(interval), 0, 0);
    int64_t result = call(number, a, b, c, d);
    call(CALL_SETITIMER, 0, at(none), 0, 0);
    print_line("signal", signals_received > 0);
    return result;
}

static void interruptions(void)
{
    const int64_t time[2] = { 1000, 0 };
    const int64_t until[2] = { clock(MONOTONIC) / SECOND + 1000, 0 };
    int64_t rest[2] = { 0, 0 };
    set_handler(14, (uint64_t)receive, 0, 0);
    print_line("nanosleep", interrupted(CALL_NANOSLEEP, at(time), at(rest), 0, 0));
    print_line("rest", rest[0] > 0 && rest[0] < 1000);
    print_line("bad address", interrupted(CALL_NANOSLEEP, at(time), BAD_ADDRESS, 0, 0));
    rest[0] = 0;
    print_line("clock_nanosleep", interrupted(CALL_CLOCK_NANOSLEEP, MONOTONIC, 0, at(time), at(rest)));
    print_line("rest", rest[0] > 0 && rest[0] < 1000);
    rest[0] = 5;
    print_line("until", interrupted(CALL_CLOCK_NANOSLEEP, MONOTONIC, ABSOLUTE, at(until), at(rest)));
    print_line("no rest", rest[0]);
    print_line("pause", interrupted(CALL_PAUSE, 0, 0, 0, 0));
}

int clocks(void)
{
    give_up_privileges();
    each_clock();
    now();
    sleeps();
    interruptions();
    return 0;
}
