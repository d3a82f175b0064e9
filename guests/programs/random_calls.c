// SPDX-License-Identifier: Apache-2.0
//
// System calls with random numbers and arguments, from a seed.

#include "chance.h"
#include "start.h"

static uint64_t state;

static uint64_t next(void)
{
    return next_random(&state);
}

static char area[65536];

// Values at which a kernel may go wrong: sizes, addresses, ends of ranges.
static uint64_t argument(void)
{
    switch (next() % 10) {
    case 0:
        return next();
    case 1:
        return next() % 64;
    case 2:
        return (uint64_t)area + next() % sizeof area;
    case 3:
        return 0x400000 + (next() % 0x1000) * 0x1000;
    case 4:
        return 0x7FFFFFFFF000UL - (next() % 0x10000) * 0x1000;
    case 5:
        return 0xFFFF800000000000UL + (next() & 0x7FFFFFFFFFFFUL);
    case 6:
        return (next() % 0x1000) * 0x1000;
    case 7:
        return 1UL << next() % 64;
    case 8:
        return (1UL << next() % 64) - 1;
    default:
        return -(next() % 4096);
    }
}

// What ends or delays the program, or creates others, is left out.
static int is_excluded(uint64_t number)
{
    static const uint16_t excluded[] = { 7, 15, 23, 34, 35, 37, 38, 56, 57, 58, 60, 61, 62, 128, 129, 130, 200, 202, 223,
                                         230, 231, 232, 234, 247, 270, 271, 281, 297, 435 };
    for (size_t i = 0; i < sizeof excluded / sizeof excluded[0]; i++) {
        if (number == excluded[i]) {
            return 1;
        }
    }
    return 0;
}

int random_calls(uint64_t seed, uint64_t count)
{
    state = random_state(seed);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t number = next() % 8 == 0 ? next() : next() % 460;
        if (!is_excluded(number)) {
            call6(number, argument(), argument(), argument(), argument(), argument(), argument());
        }
    }
    return 0;
}
