// SPDX-License-Identifier: Apache-2.0
//
// What a program finds of time and chance: random numbers, addresses, clocks, and when
// another thread runs. And system calls to be counted.

#include "files.h"

#define CALL_NANOSLEEP 35
#define CALL_CLOCK_GETTIME 228
#define CALL_GETRANDOM 318

#define CLOCK_REALTIME 0
#define CLOCK_MONOTONIC 1
#define AT_RANDOM 25
#define NANOSECONDS 1000000000L
#define SPIN_TIME 20000000L
#define TURNS 1500

static void print_bytes(const char *name, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    char text[65];
    for (size_t i = 0; i < size; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[2 * size] = 0;
    print(name);
    print(" ");
    print(text);
    print("\n");
}

static void print_random(void)
{
    uint8_t bytes[16];
    int64_t device = call6(CALL_OPEN, (uint64_t)"/dev/urandom", O_RDONLY, 0, 0, 0, 0);
    call6(CALL_GETRANDOM, (uint64_t)bytes, sizeof bytes, 0, 0, 0, 0);
    print_bytes("getrandom", bytes, sizeof bytes);
    call6(CALL_READ, (uint64_t)device, (uint64_t)bytes, sizeof bytes, 0, 0, 0);
    print_bytes("urandom", bytes, sizeof bytes);
    call6(CALL_CLOSE, (uint64_t)device, 0, 0, 0, 0, 0);
}

static void print_vector(const struct start *start)
{
    for (const uint64_t *entry = start->auxiliary; entry[0] != 0; entry += 2) {
        if (entry[0] == AT_RANDOM) {
            print_bytes("vector", (const uint8_t *)entry[1], 16);
        }
    }
}

static void print_addresses(const struct start *start)
{
    print_line("code", (int64_t)print_addresses);
    print_line("stack", (int64_t)start->arguments);
    print_line("mapping", call6(CALL_MMAP, 0, 4096, 3, 0x22, (uint64_t)-1, 0));
    print_line("break", call6(CALL_BRK, 0, 0, 0, 0, 0, 0));
}

static int64_t clock(uint64_t which)
{
    int64_t time[2];
    call6(CALL_CLOCK_GETTIME, which, (uint64_t)time, 0, 0, 0, 0);
    return time[0] * NANOSECONDS + time[1];
}

static int64_t sleep(int64_t seconds)
{
    const int64_t time[2] = { seconds, 500000000 };
    return call6(CALL_NANOSLEEP, (uint64_t)time, 0, 0, 0, 0, 0);
}

static void print_clocks(void)
{
    print_line("wall", clock(CLOCK_REALTIME));
    print_line("monotonic", clock(CLOCK_MONOTONIC));
}

static uint8_t stack[16384] __attribute__((aligned(16)));
static volatile uint32_t identifier;
static volatile int turn;
static volatile int64_t switches, places;

static void take_turns(int self)
{
    for (int64_t i = 0; i < TURNS; i++) {
        call6(CALL_GETPID, 0, 0, 0, 0, 0, 0);
        if (turn != self) {
            turn = self;
            switches++;
            places = places * 31 + i;
        }
    }
}

static void take_other_turns(uint64_t argument)
{
    (void)argument;
    take_turns(1);
}

// Where two threads that make system calls have changed places.
static void print_turns(void)
{
    start_thread((uint64_t)take_other_turns, 0, (uint64_t)(stack + sizeof stack), &identifier);
    take_turns(0);
    join_thread(&identifier);
    print_line("switches", switches);
    print_line("places", places);
}

static int chance(const struct start *start)
{
    print_vector(start);
    print_random();
    print_addresses(start);
    print_clocks();
    print_turns();
    print_clocks();
    return 0;
}

static int chance_ready(const struct start *start)
{
    char text[256];
    chance(start);
    print("before\n");
    int64_t device = call6(CALL_OPEN, (uint64_t)"/dev/hyperlight/ready", O_RDONLY, 0, 0, 0, 0);
    call6(CALL_READ, (uint64_t)device, (uint64_t)text, sizeof text, 0, 0, 0);
    return chance(start);
}

static int sleeps(void)
{
    int64_t before = clock(CLOCK_MONOTONIC);
    int64_t wall = clock(CLOCK_REALTIME);
    sleep(3600);
    print_line("monotonic", clock(CLOCK_MONOTONIC) - before);
    print_line("wall", clock(CLOCK_REALTIME) - wall);
    return 0;
}

// Reads the clock until some time has passed.
static int clock_spin(void)
{
    int64_t start = clock(CLOCK_MONOTONIC);
    int64_t readings = 0;
    while (clock(CLOCK_MONOTONIC) - start < SPIN_TIME) {
        readings++;
    }
    print_line("readings", readings);
    return 0;
}

// As often as the run lasts.
static int sleep_for_ever(int64_t seconds)
{
    while (sleep(seconds) == 0) {
    }
    return 1;
}

static int count_calls(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        call6(CALL_GETPID, 0, 0, 0, 0, 0, 0);
    }
    return 0;
}

int chance_commands(const char *name, const struct start *start)
{
    if (equal(name, "chance")) {
        return chance(start);
    }
    if (equal(name, "chance-ready")) {
        return chance_ready(start);
    }
    if (equal(name, "sleeps")) {
        return sleeps();
    }
    if (equal(name, "clock-spin")) {
        return clock_spin();
    }
    if (equal(name, "sleep-for-ever")) {
        return sleep_for_ever((int64_t)parse_number(start->arguments[2]));
    }
    return equal(name, "count-calls") ? count_calls(parse_number(start->arguments[2])) : -1;
}
