// SPDX-License-Identifier: Apache-2.0
//
// The timer of the host, which interrupts a program that makes no system calls:
// where a time slice ends, and where timers and waits of other threads are looked
// at. It runs only while there is a reason.

#ifndef LINUX_TICKS_H
#define LINUX_TICKS_H

#include <stdbool.h>
#include <stdint.h>

// `period` is in microseconds. 0: the host has no timer, and a program is
// interrupted at its system calls and exceptions only.
void ticks_clear(uint32_t period);

// Whether the host has a timer.
bool ticks_are_possible(void);

// Before the program continues. `has_reason`: another thread is ready, or something
// has a deadline.
void ticks_start_if(bool has_reason);

// After an interrupt.
void ticks_stop_unless(bool has_reason);

#endif
