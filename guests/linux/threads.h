// SPDX-License-Identifier: Apache-2.0
//
// The threads of the program.

#ifndef LINUX_THREADS_H
#define LINUX_THREADS_H

#include "registers.h"
#include "signals.h"

#include <stdbool.h>
#include <stdint.h>

#define MOST_THREADS 256
#define THREAD_NAME_SIZE 16

enum thread_state { THREAD_UNUSED, THREAD_READY, THREAD_WAITING };

struct process;

// A place in an address space; or in a file, which is known by its number: that is not used
// again when the file is gone. A call that says that the word is of its process alone (FUTEX_PRIVATE_FLAG) does
// not find who waits without that.
struct futex_word {
    bool is_private;
    const void *space;
    uint64_t inode;
    uint64_t offset;
};

struct thread {
    enum thread_state state;
    uint32_t id;
    struct process *process;

    // While the thread does not run: its registers, and where its kernel stack was
    // left. Those of floating point and vectors are at thread_vectors().
    struct registers registers;
    uint64_t kernel_stack;
    uint64_t fs_base;
    uint64_t gs_base;

    // The next one that is ready.
    struct thread *next;

    // What it waits for; see scheduler.h.
    const void *channel;
    int64_t deadline;
    int64_t wall_time;
    uint64_t wait_order;
    int64_t wait_result;
    // Signals do not end the wait.
    bool is_uninterruptible;
    // The system call has found no standard input: if it waits, that may end the wait.
    bool awaits_input;

    // Of a futex that it waits for.
    struct futex_word futex;
    uint32_t futex_bits;

    // The number of the system call that it executes, while it can be restarted.
    bool is_in_system_call;
    uint64_t system_call;

    struct thread_signals signals;
    // Of its last exception, for handlers.
    uint64_t trap, error_code, fault_address;

    uint64_t clear_child_tid;
    uint64_t robust_list;
    char name[THREAD_NAME_SIZE];
};

extern struct thread threads[MOST_THREADS];

// Elements of `threads` that have been used are below.
extern unsigned thread_slots;

// The thread whose registers are in program_registers.
extern struct thread *current_thread;

#define FOR_EACH_THREAD(variable) \
    for (struct thread *variable = threads; variable < threads + thread_slots; variable++) \
        if (variable->state != THREAD_UNUSED)

void threads_clear(void);

// How many there are, and how many there may be in all processes: MOST_THREADS at most.
unsigned threads_count(void);
unsigned threads_limit(void);
void threads_set_limit(unsigned limit);

struct thread *thread_find(uint32_t id);

// A thread of a process that is not ready yet, with zeroes for everything but its id
// and its kernel stack. NULL if there are too many, or if there is no memory.
struct thread *thread_create(struct process *process);

// Ends the current thread: nothing of it is used any more.
__attribute__((noreturn)) void thread_end(uint32_t exit_code);

// Where the registers of floating point and vectors of a thread are kept.
void *thread_vectors(const struct thread *thread);

#endif
