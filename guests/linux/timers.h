// SPDX-License-Identifier: Apache-2.0
//
// Timers that send signals, of both kinds.

#ifndef LINUX_TIMERS_H
#define LINUX_TIMERS_H

#include <stdint.h>

struct process;

void timers_clear(void);

// Of a process that has ended.
void timers_forget(const struct process *process);

// After a deadline has changed.
void timers_note_change(void);

// NEVER without an armed timer.
int64_t timers_next_deadline(void);

// Sends the signals of the timers whose time has come.
void timers_expire(int64_t now);

#endif
