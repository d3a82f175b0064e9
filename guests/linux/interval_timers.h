// SPDX-License-Identifier: Apache-2.0
//
// The timers that each process has: those of setitimer and alarm.

#ifndef LINUX_INTERVAL_TIMERS_H
#define LINUX_INTERVAL_TIMERS_H

#include <stdint.h>

struct process;

void interval_timers_clear(void);

// Of a process that has ended.
void interval_timers_forget(const struct process *process);

// NEVER without an armed timer.
int64_t interval_timers_next_deadline(void);

// Sends the signals of the timers whose time has come.
void interval_timers_expire(int64_t now);

#endif
