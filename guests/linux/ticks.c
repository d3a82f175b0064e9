// SPDX-License-Identifier: Apache-2.0

#include "ticks.h"

#include "../runtime/ports.h"

static struct {
    uint32_t period;
    bool is_running;
} ticks;

static void set_timer(uint32_t period)
{
    hl_out32(HL_PORT_TIMER, period);
    ticks.is_running = period != 0;
}

void ticks_clear(uint32_t period)
{
    // The host's timer ends with each call.
    ticks.is_running = false;
    ticks.period = period;
}

bool ticks_are_possible(void)
{
    return ticks.period != 0;
}

void ticks_start_if(bool has_reason)
{
    if (has_reason && !ticks.is_running && ticks.period != 0) {
        set_timer(ticks.period);
    }
}

void ticks_stop_unless(bool has_reason)
{
    if (!has_reason && ticks.is_running) {
        set_timer(0);
    }
}
