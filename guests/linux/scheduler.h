// SPDX-License-Identifier: Apache-2.0
//
// Which thread runs. The kernel has one processor: threads are switched when one
// waits, when it has run for a time slice and makes a system call, and by the timer
// of ticks.h if the host has one.
//
// A thread waits for a channel: the address of anything. It may be woken without a
// reason, and looks again.

#ifndef LINUX_SCHEDULER_H
#define LINUX_SCHEDULER_H

#include <stdbool.h>
#include <stdint.h>

struct thread;

// A deadline that does not come. Deadlines are nanoseconds of the monotonic clock.
#define NEVER INT64_MAX

void scheduler_clear(void);

// Runs the threads until the program has ended, or has reached its checkpoint.
void scheduler_run(void);

void scheduler_make_ready(struct thread *thread);

// What a new thread executes on its kernel stack.
__attribute__((noreturn)) void scheduler_start_thread(void);

// Leaves the current thread, which is not ready and waits for nothing.
__attribute__((noreturn)) void scheduler_leave(void);

// The other threads that are ready run first.
void scheduler_yield(void);

// Before the current thread goes on: whether its time slice has ended.
void scheduler_check_slice(void);

// Something got a deadline that the scheduler has to look at, besides waits.
void scheduler_note_deadline(void);

// Whether the current thread must not run without interrupts.
bool scheduler_needs_ticks(void);

// The current thread was interrupted.
void scheduler_tick(void);

// Whether a thread waits, for anything, and for standard input (awaits_input).
bool scheduler_has_waiting(void);
bool scheduler_awaits_input(void);

// Whether nothing but standard input can let any thread go on, the current one included,
// which the host can wait for then. No signal ends a wait of the host.
bool scheduler_is_idle_but_for_input(void);

// Waits until the channel is woken: 0. -ETIMEDOUT at the deadline, -ERESTARTSYS if
// a signal is to be delivered.
int64_t scheduler_wait(const void *channel, int64_t deadline);

// The same with a deadline that was made from a time of the wall clock; see clock.h.
int64_t scheduler_wait_for_time(const void *channel, int64_t deadline, int64_t wall_time);

// Waits until the channel is woken, whatever signals there are.
void scheduler_wait_uninterrupted(const void *channel);

// Wakes the threads that wait for a channel.
void scheduler_wake(const void *channel);

// Ends the wait of one thread with a result.
void scheduler_wake_thread(struct thread *thread, int64_t result);

#endif
