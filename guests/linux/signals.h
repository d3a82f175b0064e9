// SPDX-License-Identifier: Apache-2.0
//
// Signals: their actions, and those that are pending.

#ifndef LINUX_SIGNALS_H
#define LINUX_SIGNALS_H

#include <stdbool.h>
#include <stdint.h>

#define SIGNALS 64
#define SIGNAL_MASK_SIZE 8
#define FIRST_REAL_TIME_SIGNAL 32

enum { SIG_DFL = 0, SIG_IGN = 1 };

enum { SI_USER = 0, SI_KERNEL = 0x80, SI_TIMER = -2, SI_TKILL = -6 };

// What siginfo_t has of a signal. `words` starts at offset 16 of it. A program can make up all of
// that, but not that a timer has sent it.
struct signal_info {
    uint32_t signal;
    int32_t code;
    uint64_t words[4];
    bool is_of_timer;
};

struct signal_action {
    uint64_t handler;
    uint64_t flags;
    uint64_t restorer;
    uint64_t mask;
};

struct queued_signal;

// Signals that wait to be delivered. A signal without an entry in the list was
// sent when there was no space for one.
struct signal_queue {
    uint64_t pending;
    struct queued_signal *first;
};

// Of a process.
struct process_signals {
    // That of signal n at n - 1.
    struct signal_action actions[SIGNALS];
    struct signal_queue queue;
};

struct thread_signals {
    struct signal_queue queue;
    uint64_t blocked;
    // The mask that a handler returns to, and that counts after the system call.
    uint64_t saved_mask;
    bool has_saved_mask;
    // What rt_sigtimedwait waits for.
    uint64_t awaited;
    // sigaltstack.
    uint64_t stack;
    uint64_t stack_size;
    uint32_t stack_flags;
};

struct thread;
struct process;

static inline uint64_t signal_bit(uint32_t signal)
{
    return 1UL << (signal - 1);
}

void signals_clear(void);

// Of the current process.
struct signal_action *signal_action(uint32_t signal);

// Forgets pending signals of which nothing is to be seen any more.
void signals_drop(uint32_t signal);

// For a thread, or for a process: 0, or -EAGAIN if it must be queued and there are too
// many.
int64_t signal_send(struct thread *thread, const struct signal_info *info);
int64_t signal_send_to_process(struct process *process, const struct signal_info *info);

// SIGPIPE for the current thread, which has written to what nobody reads.
void signal_broken_pipe(void);

// For the current thread, which cannot block or ignore it.
void signal_force(const struct signal_info *info);

// Whether the thread has something to do instead of waiting.
bool signals_are_ready(const struct thread_signals *signals);

// What the current thread blocks from now on. Other threads take the pending signals of the process that
// it does not take any more.
void signals_set_blocked(uint64_t mask);

// The same for what it waits for in rt_sigtimedwait: 0 for nothing.
void signals_set_awaited(uint64_t set);

// After a thread of the current process has ended: the same.
void signals_wake_takers(void);

// The pending signals of a thread and of the process.
uint64_t signals_pending(const struct thread_signals *signals);

// Takes a signal of a set for the current thread, its own first. False if none is
// pending.
bool signal_take(struct thread_signals *signals, uint64_t set, struct signal_info *info);

// What is pending of a timer of timer_create, or NULL; and nothing is pending of it any more.
struct signal_info *signal_of_timer(struct signal_queue *queue, uint32_t timer);
void signal_drop_of_timer(struct signal_queue *queue, uint32_t timer);

// Replaces the mask until the current system call has ended.
void signals_block_temporarily(uint64_t mask);

// The same with a mask of the program, for calls that take one: 0 is none.
int64_t signals_block_for_call(uint64_t address, uint64_t size);

// Before the program continues: calls handlers, ends the program, and restarts a
// system call that a signal has interrupted for nothing.
void signals_deliver(void);

// Of a thread or a process that has ended.
void signals_forget(struct signal_queue *queue);

// The mask without what cannot be blocked.
uint64_t signals_blockable(uint64_t mask);

#endif
