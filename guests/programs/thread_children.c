// SPDX-License-Identifier: Apache-2.0
//
// The steps of a random sequence in threads: processes that a worker starts. A child has a copy of one thread. It ends
// at once, or when its gate opens: a pipe from which it reads, or a word of memory that it shares.

#include "thread_sequence.h"

#define WNOHANG 1
#define WNOTHREAD 0x20000000
#define WALL 0x40000000
#define WCLONE 0x80000000UL
#define SIGKILL 9
#define SIGTERM 15
#define STACK_SIZE 16384
#define PROBLEM 100

enum ending { EXITS, WAITS_AT_GATE, WAITS_FOR_WORD, KILLS_ITSELF, ENDS_IN_THREAD, ENDINGS };

static struct child {
    // 0: there is none.
    int64_t id;
    // That has started it.
    uint32_t thread;
    int32_t gate[2];
    int is_open;
    // What it waits for is its word.
    int has_word;
} children[CHILDREN];

// Of the next child, which writes to the pipe when it has closed what it does not need.
static int32_t started[2];
// Of each child, in shared memory.
static volatile uint32_t *gate_words;
static enum ending ending;
static int chosen_code;
static const struct child *next_child;
static uint32_t first_file;
static uint32_t status[WORKERS];
static uint8_t stack[STACK_SIZE] __attribute__((aligned(64)));

void start_children(void)
{
    call(CALL_PIPE2, (uint64_t)started, 0, 0, 0);
    for (unsigned i = 0; i < CHILDREN; i++) {
        call(CALL_PIPE2, (uint64_t)children[i].gate, 0, 0, 0);
    }
    gate_words = (volatile uint32_t *)call6(CALL_MMAP, 0, 4096, 3, 0x21, (uint64_t)-1, 0);
    first_file = (uint32_t)children[CHILDREN - 1].gate[1] + 1;
}

// What is another one in a child: 0 if it is as it must be.
static int find_problem(struct worker *worker, uint64_t parent_thread)
{
    uint64_t pending, list, size;
    int64_t self = call(CALL_GETTID, 0, 0, 0, 0);
    call(CALL_SIGPENDING, (uint64_t)&pending, 8, 0, 0);
    call(CALL_GET_ROBUST_LIST, 0, (uint64_t)&list, (uint64_t)&size, 0);
    if (self != call(CALL_GETPID, 0, 0, 0, 0) || self == (int64_t)process) {
        return PROBLEM;
    }
    if (pending != 0 || list != 0 || worker_self() != worker || worker->wrong != 0) {
        return PROBLEM + 1;
    }
    if (call(CALL_TGKILL, (uint64_t)self, parent_thread, 0, 0) != -3) {
        return PROBLEM + 2;
    }
    int64_t waiters = 0;
    for (unsigned i = 0; i < WORDS; i++) {
        waiters += count_waiters(&words[i], 0) + count_waiters(&words[i], FUTEX_PRIVATE);
    }
    return waiters != 0 ? PROBLEM + 3 : 0;
}

static void end_all(uint64_t code)
{
    exit_program((int)code);
}

static __attribute__((noreturn)) void run_child(struct worker *worker)
{
    uint8_t byte = 0;
    volatile uint32_t thread = 1;
    int code = find_problem(worker, worker->thread_id);
    code = code != 0 ? code : chosen_code;
    call(CALL_CLOSE_RANGE, first_file, ~0U, 0, 0);
    // The end of the program opens all gates.
    for (unsigned i = 0; i < CHILDREN; i++) {
        close_file(children[i].gate[1]);
    }
    call(CALL_WRITE, (uint64_t)started[1], (uint64_t)&byte, 1, 0);
    if (ending == WAITS_AT_GATE) {
        code = call(CALL_READ, (uint64_t)next_child->gate[0], (uint64_t)&byte, 1, 0) < 0 ? PROBLEM + 4 : code;
    } else if (ending == WAITS_FOR_WORD) {
        while (gate_words[next_child - children] == 0) {
            call(CALL_FUTEX, (uint64_t)&gate_words[next_child - children], FUTEX_WAIT, 0, 0);
        }
    } else if (ending == KILLS_ITSELF) {
        uint64_t none = 0;
        call(CALL_SIGPROCMASK, 2, (uint64_t)&none, 0, 8);
        call(CALL_KILL, (uint64_t)call(CALL_GETPID, 0, 0, 0, 0), code % 2 ? SIGKILL : SIGTERM, 0, 0);
    } else if (ending == ENDS_IN_THREAD) {
        start_thread((uint64_t)end_all, (uint64_t)code, (uint64_t)(stack + STACK_SIZE), &thread);
        for (;;) {
            call(CALL_FUTEX, (uint64_t)&thread, FUTEX_WAIT, thread, 0);
        }
    }
    exit_program(code);
}

static int64_t fork_and_run(struct worker *worker)
{
    worker->number = CALL_FORK;
    int64_t id = worker_call(worker);
    if (id == 0) {
        run_child(worker);
    }
    children[next_child - children].id = id;
    children[next_child - children].thread = worker->thread_id;
    return id > 0;
}

static int choose_child(int exists)
{
    int index = (int)next(CHILDREN);
    int is_meant = (children[index].id != 0) == exists;
    print(is_meant ? "" : "none ");
    return is_meant ? index : NOBODY;
}

void fork_child(void)
{
    uint8_t byte;
    int index = choose(IDLE);
    int child = choose_child(0);
    if (index == NOBODY || child == NOBODY) {
        return;
    }
    ending = (enum ending)next(ENDINGS);
    chosen_code = (int)next(PROBLEM);
    next_child = &children[child];
    children[child].has_word = ending == WAITS_FOR_WORD;
    children[child].is_open = ending != WAITS_AT_GATE && ending != WAITS_FOR_WORD;
    gate_words[child] = 0;
    tell(index, fork_and_run, IDLE);
    settle();
    call(CALL_READ, (uint64_t)started[0], (uint64_t)&byte, 1, 0);
    while (children[child].has_word && count_waiters(&gate_words[child], 0) != 1) {
        yield();
    }
}

static int waiter_of(int child)
{
    for (int i = 0; i < WORKERS; i++) {
        if (views[i].activity == IN_CHILD_WAIT && views[i].child == child) {
            return i;
        }
    }
    return NOBODY;
}

static void take(int index, int child)
{
    views[index].activity = IDLE;
    settle();
    print(" status ");
    print_number(status[index]);
    children[child].id = 0;
}

void open_gate(void)
{
    int child = choose_child(1);
    if (child == NOBODY || children[child].is_open) {
        return;
    }
    int waiter = waiter_of(child);
    children[child].is_open = 1;
    if (next(3) == 0) {
        execute(CALL_KILL, (uint64_t)children[child].id, next(2) ? SIGKILL : SIGTERM, 0, 0, 0, 0);
    } else if (children[child].has_word) {
        gate_words[child] = 1;
        execute(CALL_FUTEX, (uint64_t)&gate_words[child], FUTEX_WAKE, 1, 0, 0, 0);
    } else {
        execute(CALL_WRITE, (uint64_t)children[child].gate[1], (uint64_t)"", 1, 0, 0, 0);
    }
    if (waiter != NOBODY) {
        take(waiter, child);
    }
}

// Whether the options are for the child, which ends with SIGCHLD.
static int are_for(uint64_t options, int index, int child)
{
    int is_own = children[child].thread == workers[index].thread_id;
    return (is_own || !(options & WNOTHREAD)) && (options & WALL || !(options & WCLONE));
}

// Of a child that ends at some time, only a call that waits has a result that is known.
void wait_for_child(void)
{
    int index = choose(IDLE);
    int child = choose_child(1);
    if (index == NOBODY || child == NOBODY || waiter_of(child) != NOBODY) {
        return;
    }
    int is_open = children[child].is_open;
    uint64_t options = (is_open || next(2) ? 0 : WNOHANG) | (next(4) ? 0 : WNOTHREAD) | (next(4) ? 0 : WCLONE) | (next(4) ? 0 : WALL);
    int is_meant = are_for(options, index, child);
    uint64_t id = (uint64_t)children[child].id;
    views[index].child = child;
    status[index] = 0;
    workers[index].number = CALL_WAIT4;
    workers[index].arguments[0] = id;
    workers[index].arguments[1] = (uint64_t)&status[index];
    workers[index].arguments[2] = options;
    workers[index].arguments[3] = 0;
    tell(index, worker_wait_for_child, is_open || !is_meant || options & WNOHANG ? IDLE : IN_CHILD_WAIT);
    if (is_open && is_meant) {
        take(index, child);
    }
}

void end_children(void)
{
    for (unsigned i = 0; i < CHILDREN; i++) {
        gate_words[i] = 1;
        call(CALL_FUTEX, (uint64_t)&gate_words[i], FUTEX_WAKE, 1, 0);
    }
}
