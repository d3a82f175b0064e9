// SPDX-License-Identifier: Apache-2.0
//
// Timers that send signals.

#ifndef LINUX_TIMERS_H
#define LINUX_TIMERS_H

#include <stdint.h>

struct process;

void timers_clear(void);

// Of a process that has ended, or that executes another program, which keeps those of
// setitimer and alarm.
void timers_forget(const struct process *process);
void timers_forget_created(const struct process *process);

// NEVER without an armed timer.
int64_t timers_next_deadline(void);

// The current process has received the signal of one of its timers.
void timers_note_received(uint32_t id, uint32_t overruns);

// Sends the signals of the timers whose time has come.
void timers_expire(int64_t now);

#endif
