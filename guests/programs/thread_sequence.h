// SPDX-License-Identifier: Apache-2.0
//
// The director of a random sequence of operations in threads: what it knows of its workers.

#ifndef PROGRAMS_THREAD_SEQUENCE_H
#define PROGRAMS_THREAD_SEQUENCE_H

#include "thread_workers.h"

#define NOBODY (-1)
#define WORDS 3
#define MUTEXES 3
#define PIPES 2
#define CHILDREN 2
#define LONG_TIME 100000

// What a worker does. Of the last ones, that they wait is known only where it makes a difference.
enum activity { ABSENT, IDLE, IN_FUTEX, IN_LOCK, IN_JOIN, IN_READ, IN_EVENT_READ, IN_EVENT_WRITE, IN_POLL, IN_SIGNAL_WAIT,
                IN_SUSPENSION, IN_CHILD_WAIT };

struct view {
    enum activity activity;
    // The file or the child that it waits for, or NOBODY.
    int pipe, child;
    int waits_for_event;
    int has_timeout;
    // The signals that it blocks, and those that it awaits or blocks in a suspension.
    uint64_t mask, set;
    // Signals that were queued for it, at most.
    unsigned queued;
    // What was printed.
    uint32_t reported;
    uint64_t log;
};

extern struct worker workers[WORKERS];
extern struct view views[WORKERS];
extern struct mutex mutexes[MUTEXES];
extern volatile uint32_t words[WORDS];
// The process.
extern uint64_t process;

uint64_t next(uint64_t limit);

// One of the workers with an activity, or NOBODY.
int choose(enum activity activity);

// New memory. Programs of other tests have little: it is not that of the program.
void *allocate(uint64_t size);

// Starts an operation of an idle worker, which will be in an activity: idle again, or waiting.
void tell(int index, int64_t (*operation)(struct worker *), enum activity activity);
void tell_call(int index, enum activity activity, uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
               uint64_t f);

// A call that does not wait, in any idle worker or in the director.
void execute(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);

void yield(void);

// Waits until all workers are idle or wait, and prints what they have finished.
void settle(void);

// Waiters of a word.
int64_t count_waiters(volatile uint32_t *word, uint64_t is_private);

// The steps: each prints what it does.
void create_worker(void);
void end_worker(void);
void compute(void);
void wait_for_word(void);
void wake_word(void);
void wake_bits(void);
void requeue_word(void);
void wake_after_operation(void);
void set_word(void);
void lock(void);
void unlock(void);
void join(void);

// All signals of the sequence are blocked, for the first workers as well.
void start_signals(void);
void change_action(void);
void change_mask(void);
void send_to_worker(void);
void send_to_process(void);
void show_pending(void);
void wait_for_signal(void);
void suspend(void);
void change_stack(void);

void start_files(void);
void read_pipe(void);
void write_pipe(void);
void close_pipe(void);
void read_event(void);
void write_event(void);
void poll_files(void);
void transfer(void);
void sleep_shortly(void);

void start_children(void);
void fork_child(void);
void open_gate(void);
void wait_for_child(void);
// No child waits any more.
void end_children(void);

#endif
