// SPDX-License-Identifier: Apache-2.0
//
// The timers that programs create: those of timer_create.

#ifndef LINUX_POSIX_TIMERS_H
#define LINUX_POSIX_TIMERS_H

#include <stdint.h>

struct process;

void posix_timers_clear(void);

// Of a process that has ended, or that executes another program.
void posix_timers_forget(const struct process *process);

// NEVER without an armed timer.
int64_t posix_timers_next_deadline(void);

// The current process has received the signal of one of its timers.
void posix_timers_note_received(uint32_t id, uint32_t overruns);

// Sends the signals of the timers whose time has come.
void posix_timers_expire(int64_t now);

#endif
