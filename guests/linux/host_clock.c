// SPDX-License-Identifier: Apache-2.0

#include "host_clock.h"

#include "clock_base.h"
#include "host.h"
#include "processor.h"
#include "ticks.h"
#include "virtual_clock.h"

#include <string.h>

// How long the host is not asked, in nanoseconds: about what a wrong counter makes a clock wrong.
#define WINDOW 10000000L

// A clock that is ahead of the host's shows what it has shown already until the host's has gone on
// as far. Up to this, it goes on slower.
#define MOST_AHEAD (WINDOW / 2)
#define SLOWER_BITS 16

// Interrupts of the timer, with 4 milliseconds between them, in which a base ends at the latest: more than in a window.
#define MOST_INTERRUPTS 3

// The wall clock and the monotonic one.
#define CLOCKS 2

// What lies between two readings from which a rate is computed, in nanoseconds: at first, and later, when a rate
// that is more exact is worth to wait for.
#define SHORTEST_BASELINE 1000000L
#define LONGEST_BASELINE 128000000L

// A rate is used once it was measured twice with the same result: the host's wall clock can have been set
// between two readings.
#define TRUSTED_BASELINE (4 * SHORTEST_BASELINE)

// By how much of its value a rate may be wrong, as the time of a reading is not known better than the call took.
#define WIDTH_SHARE 16

// A rate that differs by more than this part from what was measured before is of a counter that has changed.
#define CHANGE_SHARE 4

// Processors count at 1 to 6 GHz, 0.17 to 1 nanoseconds a tick. Emulators give the clock of their host: a
// nanosecond a tick, 100 on Windows, 41.7 on some processors of other architectures. What is beyond is no clock that programs
// could be timed with: with more than a microsecond a tick they would see time stand still.
#define SHORTEST_TICK ((1UL << RATE_BITS) / 20)
#define LONGEST_TICK (1000UL << RATE_BITS)

_Static_assert(WINDOW < 1L << (63 - RATE_BITS), "a window in units of the rate has room in 64 bits");

// An answer of the host, with the counter after it.
struct reading {
    int64_t time;
    uint64_t ticks;
    // The ticks that the call took.
    uint64_t width;
};

static struct kept_clock {
    struct clock_base base;
    // 0 if it is not known.
    uint64_t rate;
    // From which the rate is computed, and the last one; both after a wait.
    bool has_readings;
    struct reading first, last;
    int64_t baseline;
    // What was shown last, and the counter when it was read last.
    int64_t shown;
    uint64_t ticks;
    // Since the base began.
    unsigned interrupts;
} clocks[CLOCKS];

// Whether the counter is steady is asked when it is needed: the answer is an exit to the hypervisor.
static enum { NOT_ASKED, STEADY, NOT_STEADY } counter;

// Of programs; NULL if they have none.
static struct clock_page *page;

static void forget_rate(struct kept_clock *clock)
{
    clock->rate = 0;
    clock->has_readings = false;
    clock->baseline = SHORTEST_BASELINE;
}

bool host_clock_is_steady(void)
{
    if (counter == NOT_ASKED) {
        counter = processor_has_steady_ticks() ? STEADY : NOT_STEADY;
    }
    return counter == STEADY;
}

// A program may have found the page on a machine with another counter, before a checkpoint.
static void publish(const struct kept_clock *clock)
{
    if (page != NULL && (clock->base.limit == 0 || host_clock_is_steady())) {
        page->number++;
        page->bases[clock - clocks] = clock->base;
    }
}

void host_clock_forget(void)
{
    memset(clocks, 0, sizeof clocks);
    counter = NOT_ASKED;
    for (unsigned i = 0; i < CLOCKS; i++) {
        forget_rate(&clocks[i]);
        publish(&clocks[i]);
    }
}

void host_clock_start(void)
{
    page = NULL;
    host_clock_forget();
}

void host_clock_share(struct clock_page *shared)
{
    page = shared;
    for (unsigned i = 0; i < CLOCKS; i++) {
        publish(&clocks[i]);
    }
}

// Programs can have read the clock up to now without the kernel.
static void end_base(struct kept_clock *clock, uint64_t ticks)
{
    struct clock_base *base = &clock->base;
    uint64_t elapsed = ticks - base->ticks;
    if (base->limit != 0) {
        // The counter may be a little behind, on another processor of the host: little has passed since then.
        elapsed = elapsed > -base->limit ? clock->ticks - base->ticks : elapsed;
        int64_t time = clock_base_time(base, elapsed < base->limit ? elapsed : base->limit);
        clock->shown = time > clock->shown ? time : clock->shown;
        base->limit = 0;
        publish(clock);
    }
}

void host_clock_ask_again(void)
{
    uint64_t ticks = processor_ticks();
    for (unsigned i = 0; i < CLOCKS; i++) {
        end_base(&clocks[i], ticks);
        clocks[i].has_readings = false;
    }
}

bool host_clock_needs_ticks(void)
{
    return (clocks[0].base.limit | clocks[1].base.limit) != 0 && !host_clock_is_steady();
}

void host_clock_tick(void)
{
    for (unsigned i = 0; i < CLOCKS; i++) {
        struct kept_clock *clock = &clocks[i];
        if (clock->base.limit != 0 && ++clock->interrupts == MOST_INTERRUPTS && !host_clock_is_steady()) {
            end_base(clock, processor_ticks());
        }
    }
}

// Whether a rate can be computed from two readings.
static bool are_distant(const struct reading *first, const struct reading *last, int64_t baseline)
{
    uint64_t ticks = last->ticks - first->ticks;
    return last->time - first->time >= baseline && first->width <= ticks / (2 * WIDTH_SHARE) &&
           last->width <= ticks / (2 * WIDTH_SHARE);
}

// 0 if it is not plausible.
static uint64_t rate_between(const struct reading *first, const struct reading *last)
{
    uint64_t time = (uint64_t)(last->time - first->time);
    uint64_t ticks = last->ticks - first->ticks;
    for (; time >> (64 - RATE_BITS) != 0; time /= 2) {
        ticks /= 2;
    }
    uint64_t rate = ticks != 0 ? (time << RATE_BITS) / ticks : 0;
    return rate >= SHORTEST_TICK && rate <= LONGEST_TICK ? rate : 0;
}

static bool has_changed(uint64_t rate, uint64_t measured)
{
    uint64_t difference = rate > measured ? rate - measured : measured - rate;
    return rate != 0 && difference > rate / CHANGE_SHARE;
}

// What a new reading says about the rate.
static void measure(struct kept_clock *clock, const struct reading *reading)
{
    const struct reading previous = clock->last;
    clock->last = *reading;
    bool goes_forward = reading->time >= previous.time && (int64_t)(reading->ticks - previous.ticks) > 0;
    if (clock->has_readings &&
        (!goes_forward || (are_distant(&previous, reading, SHORTEST_BASELINE) &&
                           has_changed(clock->rate, rate_between(&previous, reading))))) {
        forget_rate(clock);
    }
    if (!clock->has_readings) {
        clock->has_readings = true;
        clock->first = *reading;
        return;
    }
    if (!are_distant(&clock->first, reading, clock->baseline)) {
        // The first calls of a host may take long.
        clock->first = clock->rate == 0 && reading->width < clock->first.width / 2 ? *reading : clock->first;
        return;
    }
    const uint64_t rate = rate_between(&clock->first, reading);
    if (has_changed(clock->rate, rate)) {
        forget_rate(clock);
        clock->has_readings = true;
        clock->first = *reading;
        return;
    }
    clock->rate = rate;
    if (clock->rate == 0 || clock->baseline >= LONGEST_BASELINE) {
        clock->first = *reading;
    } else {
        clock->baseline *= 2;
    }
}

// What the clock shows now, and how it goes on. A reading that took long, as the host's thread was
// paused, is that of some time ago.
static int64_t begin_base(struct kept_clock *clock, const struct reading *reading, bool was_set_back)
{
    int64_t ahead = clock->shown - reading->time;
    if (ahead > MOST_AHEAD) {
        forget_rate(clock);
        clock->shown = was_set_back ? 0 : clock->shown;
    }
    clock->shown = reading->time > clock->shown ? reading->time : clock->shown;
    const uint64_t limit = clock->rate != 0 ? ((uint64_t)WINDOW << RATE_BITS) / clock->rate : 0;
    if (clock->baseline >= TRUSTED_BASELINE && reading->width < limit / 2 && clock->shown <= INT64_MAX - 2 * WINDOW &&
        (host_clock_is_steady() || ticks_are_possible())) {
        clock->interrupts = 0;
        // Slower, so that the host's clock has gone on as far at the end.
        uint64_t slower = ahead > 0 ? ((uint64_t)ahead << SLOWER_BITS) / WINDOW : 0;
        clock->base = (struct clock_base){
            .time = clock->shown,
            .ticks = reading->ticks,
            .rate = clock->rate - (clock->rate >> SLOWER_BITS) * slower,
            .limit = limit,
        };
        publish(clock);
    }
    return clock->shown;
}

static bool ask(struct kept_clock *clock, bool is_monotonic, int64_t *nanoseconds)
{
    int64_t time;
    uint64_t before = processor_ticks();
    end_base(clock, before);
    if (!host_read_clock(is_monotonic, &time)) {
        return false;
    }
    clock->ticks = processor_ticks();
    const struct reading reading = { time, clock->ticks, clock->ticks - before };
    bool was_set_back = !is_monotonic && time < clock->last.time;
    measure(clock, &reading);
    *nanoseconds = begin_base(clock, &reading, was_set_back);
    return true;
}

bool host_clock(bool is_monotonic, int64_t *nanoseconds)
{
    if (virtual_clock_is_used()) {
        *nanoseconds = virtual_clock(is_monotonic);
        return true;
    }
    struct kept_clock *clock = &clocks[is_monotonic];
    uint64_t ticks = processor_ticks();
    uint64_t elapsed = ticks - clock->base.ticks;
    // A counter that stands still never comes to the end of the window.
    if (elapsed >= clock->base.limit || (int64_t)(ticks - clock->ticks) <= 0) {
        return ask(clock, is_monotonic, nanoseconds);
    }
    clock->ticks = ticks;
    int64_t time = clock_base_time(&clock->base, elapsed);
    clock->shown = time > clock->shown ? time : clock->shown;
    *nanoseconds = clock->shown;
    return true;
}
