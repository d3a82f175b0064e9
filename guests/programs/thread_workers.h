// SPDX-License-Identifier: Apache-2.0
//
// The worker threads of a random sequence. A worker executes one operation after the other, as it
// is told, and checks that its registers stay its own.

#ifndef PROGRAMS_THREAD_WORKERS_H
#define PROGRAMS_THREAD_WORKERS_H

#include "files.h"
#include "futex.h"
#include "signals.h"

#define WORKERS 5
#define WORKER_BUFFER_SIZE 4096

enum {
    CALL_POLL = 7,
    CALL_SIGACTION = 13,
    CALL_SIGPROCMASK = 14,
    CALL_SCHED_YIELD = 24,
    CALL_NANOSLEEP = 35,
    CALL_CLONE = 56,
    CALL_FORK = 57,
    CALL_WAIT4 = 61,
    CALL_SIGPENDING = 127,
    CALL_SIGTIMEDWAIT = 128,
    CALL_SIGSUSPEND = 130,
    CALL_SIGALTSTACK = 131,
    CALL_ARCH_PRCTL = 158,
    CALL_GETTID = 186,
    CALL_FUTEX = 202,
    CALL_CLOCK_NANOSLEEP = 230,
    CALL_EPOLL_WAIT = 232,
    CALL_EPOLL_CTL = 233,
    CALL_TGKILL = 234,
    CALL_SET_ROBUST_LIST = 273,
    CALL_GET_ROBUST_LIST = 274,
    CALL_EVENTFD2 = 290,
    CALL_EPOLL_CREATE1 = 291,
    CALL_PIPE2 = 293,
    CALL_TGSIGQUEUEINFO = 297,
    CALL_CLONE3 = 435,
};

// A lock of the robust list of its owner, with three states: free, owned, and owned with waiters.
struct mutex {
    uint64_t next;
    volatile uint32_t word;
};

struct robust_list {
    uint64_t next;
    int64_t offset;
    uint64_t pending;
};

struct worker {
    // FS and GS lead here.
    struct worker *self;
    // 0 before it has begun, and after its end.
    volatile uint32_t thread_id;
    // How many operations it was told, and how many it has finished.
    volatile uint32_t told, finished;
    int64_t (*operation)(struct worker *worker);
    // Of the operation.
    uint64_t number, arguments[6], spins;
    struct mutex *mutex;
    int64_t result;
    // Calls of handlers, and what they found.
    volatile uint32_t handled;
    volatile uint64_t log;
    // Values of the next registers, and how often one was another one afterwards.
    uint64_t values;
    uint64_t wrong;
    struct robust_list locks;
    uint8_t buffer[WORKER_BUFFER_SIZE];
};

// What the thread executes when it starts.
void worker_start(struct worker *worker);

// The worker that executes this.
static inline struct worker *worker_self(void)
{
    struct worker *worker;
    __asm__ volatile("mov %%fs:0, %0" : "=r"(worker));
    return worker;
}

// The handler of all signals.
void worker_handle(int signal, const struct info *info, struct context *context);

// Operations. A system call, with values in all registers that it keeps; a read of which the bytes
// are noted in the log; rt_sigtimedwait, with a note of what came; a lock, of which the result says whether its owner had ended.
int64_t worker_call(struct worker *worker);
int64_t worker_read(struct worker *worker);
int64_t worker_take_signal(struct worker *worker);
int64_t worker_lock(struct worker *worker);
int64_t worker_unlock(struct worker *worker);
// poll of two files, with a note of what is ready; and wait4, whose result is whether it had a child.
int64_t worker_poll(struct worker *worker);
int64_t worker_wait_for_child(struct worker *worker);
// Writes and reads number bytes at a pipe, in parts.
int64_t worker_send_bytes(struct worker *worker);
int64_t worker_receive_bytes(struct worker *worker);
// The ends of a thread: with its locks; between a lock and its entry in the list; and between the
// release of a lock and the call that wakes.
int64_t worker_end(struct worker *worker);
int64_t worker_end_in_lock(struct worker *worker);
int64_t worker_end_in_unlock(struct worker *worker);

#endif
