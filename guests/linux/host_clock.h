// SPDX-License-Identifier: Apache-2.0
//
// The host's clocks, which the kernel continues with the time stamp counter. The host is
// asked again after some milliseconds, so that a counter that is wrong is noticed: it may
// stand still, go back, or change its rate.

#ifndef LINUX_HOST_CLOCK_H
#define LINUX_HOST_CLOCK_H

#include <stdbool.h>

struct clock_page;

// At the start of a run.
void host_clock_start(void);

// Before a snapshot, and after it was restored: nothing is known of the counter any more.
void host_clock_forget(void);

// A page for programs, where the kernel writes what they compute clocks from, until the run ends.
void host_clock_share(struct clock_page *page);

// After something that can have taken long: the host is asked before the next answer. The rate of
// the counter stays.
void host_clock_ask_again(void);

// Whether programs may compute clocks themselves: the counter is one that cannot be wrong.
bool host_clock_is_steady(void);

// A counter that can become slower comes late to the end of the time in which the host is not asked: the
// timer ends that time too, at one of its interrupts.
bool host_clock_needs_ticks(void);
void host_clock_tick(void);

#endif
