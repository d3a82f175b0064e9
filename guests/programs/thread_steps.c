// SPDX-License-Identifier: Apache-2.0
//
// The steps of a random sequence in threads: threads, words that they wait for, and locks.

#include "thread_sequence.h"

#define STACK_SIZE 65536
#define THREAD_FLAGS 0x50F00UL
#define CLONE_SETTLS 0x80000UL
#define CLONE_PARENT_SETTID 0x100000UL
#define CLONE_CHILD_CLEARTID 0x200000UL
#define CLONE_CHILD_SETTID 0x1000000UL
#define MOST 100
#define ESRCH 3

static uint8_t *stacks;

// A queue that others were moved to while it was not empty: who is first there is up to Linux.
static int is_mixed[WORDS][2];

// The thread finds its function and its argument on its stack.
int64_t clone_thread(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t number);

__asm__(".globl clone_thread\n"
        "clone_thread:\n"
        "    mov %rcx, %r10\n"
        "    mov %r9, %rax\n"
        "    syscall\n"
        "    test %rax, %rax\n"
        "    jz 1f\n"
        "    ret\n"
        "1:  xor %ebp, %ebp\n"
        "    pop %rax\n"
        "    pop %rdi\n"
        "    call *%rax\n"
        "    ud2\n");

static int64_t start(struct worker *worker, uint8_t *stack)
{
    uint64_t *top = (uint64_t *)(stack + STACK_SIZE);
    uint64_t flags = THREAD_FLAGS | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | (next(2) ? CLONE_CHILD_SETTID : 0);
    uint64_t id = (uint64_t)&worker->thread_id;
    *--top = (uint64_t)worker;
    *--top = (uint64_t)worker_start;
    if (next(2) == 0) {
        return clone_thread(flags, (uint64_t)top, id, id, (uint64_t)worker, CALL_CLONE);
    }
    const uint64_t arguments[11] = { flags, 0, id, id, 0, (uint64_t)stack, (uint64_t)((uint8_t *)top - stack), (uint64_t)worker };
    return clone_thread((uint64_t)arguments, sizeof arguments, 0, 0, 0, CALL_CLONE3);
}

void create_worker(void)
{
    int index = choose(ABSENT);
    if (index == NOBODY) {
        return;
    }
    struct worker *worker = &workers[index];
    uint64_t wrong = worker->wrong;
    *worker = (struct worker){ .self = worker, .told = 1, .values = next(1UL << 60) + 1, .wrong = wrong };
    views[index] = (struct view){ .activity = IDLE, .pipe = NOBODY, .child = NOBODY, .mask = ~0UL };
    stacks = stacks != NULL ? stacks : allocate(WORKERS * STACK_SIZE);
    print_number(start(worker, stacks + index * STACK_SIZE) > 0);
}

static int is_of(const struct mutex *mutex, int index)
{
    return (mutex->word & FUTEX_OWNER) == workers[index].thread_id;
}

// A lock of a worker, or one that is free, or NULL.
static struct mutex *choose_mutex(int owner)
{
    struct mutex *mutex = &mutexes[next(MUTEXES)];
    int is_meant = owner != NOBODY ? is_of(mutex, owner) : (mutex->word & FUTEX_OWNER) == 0;
    print(is_meant ? "" : "none ");
    return is_meant ? mutex : NULL;
}

void end_worker(void)
{
    int index = choose(IDLE);
    if (index == NOBODY) {
        return;
    }
    struct worker *worker = &workers[index];
    uint64_t id = worker->thread_id;
    uint64_t place = next(3);
    worker->number = next(256);
    worker->mutex = place != 0 ? choose_mutex(place == 1 ? NOBODY : index) : NULL;
    print(worker->mutex == NULL ? "" : place == 1 ? "in a lock " : "in an unlock ");
    tell(index, worker->mutex == NULL ? worker_end : place == 1 ? worker_end_in_lock : worker_end_in_unlock, ABSENT);
    while (worker->thread_id != 0 || call(CALL_TGKILL, process, id, 0, 0) != -ESRCH) {
        yield();
    }
}

void compute(void)
{
    for (int i = 0; i < WORKERS; i++) {
        if (views[i].activity == IDLE && next(4) != 0) {
            tell_call(i, IDLE, CALL_SCHED_YIELD, 0, 0, 0, 0, 0, 0);
            workers[i].spins = next(20000);
        }
    }
}

static unsigned choose_word(void)
{
    unsigned word = (unsigned)next(WORDS);
    print_number(word);
    print(" ");
    return word;
}

static uint64_t choose_private(void)
{
    uint64_t is_private = next(4) != 0 ? FUTEX_PRIVATE : 0;
    print(is_private ? "private " : "");
    return is_private;
}

static uint64_t choose_bits(void)
{
    return 1 + next(7);
}

// A timeout in the past, one that does not come, or none. The first does not wait.
static uint64_t choose_timeout(uint64_t *operation, int *is_past)
{
    static const uint64_t never[2] = { 100000000000, 0 };
    static const uint64_t past[2] = { 0, 0 };
    uint64_t choice = next(4);
    *is_past = choice == 0;
    if (*operation == FUTEX_WAIT_BITSET && next(2) == 0) {
        *operation |= FUTEX_REALTIME;
    }
    return choice > 1 ? 0 : (uint64_t)(*is_past ? past : never);
}

void wait_for_word(void)
{
    int index = choose(IDLE);
    if (index == NOBODY) {
        return;
    }
    unsigned word = choose_word();
    int is_past;
    uint64_t is_private = choose_private();
    uint64_t operation = next(2) ? FUTEX_WAIT : FUTEX_WAIT_BITSET;
    uint64_t timeout = choose_timeout(&operation, &is_past);
    uint64_t value = words[word] + (next(8) == 0);
    uint64_t bits = choose_bits();
    int waits = value == words[word] && !is_past;
    views[index].has_timeout = timeout != 0;
    tell_call(index, waits ? IN_FUTEX : IDLE, CALL_FUTEX, (uint64_t)&words[word], operation | is_private, value, timeout, 0, bits);
}

// A number of those who wait: who is first must be known.
static uint64_t choose_count(unsigned word, uint64_t is_private)
{
    int *mixed = &is_mixed[word][is_private != 0];
    *mixed &= count_waiters(&words[word], is_private) != 0;
    return *mixed ? MOST : next(4);
}

void wake_word(void)
{
    unsigned word = choose_word();
    uint64_t is_private = choose_private();
    uint64_t count = choose_count(word, is_private);
    execute(CALL_FUTEX, (uint64_t)&words[word], FUTEX_WAKE | is_private, count, 0, 0, 0);
}

void wake_bits(void)
{
    unsigned word = choose_word();
    uint64_t is_private = choose_private();
    uint64_t count = choose_count(word, is_private);
    execute(CALL_FUTEX, (uint64_t)&words[word], FUTEX_WAKE_BITSET | is_private, count, 0, 0, choose_bits());
}

void requeue_word(void)
{
    unsigned from = choose_word();
    unsigned to = choose_word();
    uint64_t is_private = choose_private();
    int compares = next(2) != 0;
    uint64_t value = words[from] + (next(4) == 0);
    int is_unequal = compares && value != words[from];
    uint64_t woken = choose_count(from, is_private);
    uint64_t moved = woken == MOST ? MOST : next(4);
    if (to != from && !is_unequal && moved != 0) {
        (void)choose_count(to, is_private);
        is_mixed[to][is_private != 0] |= count_waiters(&words[to], is_private) != 0 || is_mixed[from][is_private != 0];
    }
    execute(CALL_FUTEX, (uint64_t)&words[from], (compares ? FUTEX_CMP_REQUEUE : FUTEX_REQUEUE) | is_private, woken, moved,
            (uint64_t)&words[to], value);
}

void wake_after_operation(void)
{
    unsigned first = choose_word();
    unsigned second = choose_word();
    uint64_t is_private = choose_private();
    uint64_t count = choose_count(first, is_private);
    // The same word twice: the first calls change who is first for the second ones, but not their number.
    uint64_t other_count = choose_count(second, is_private);
    uint64_t operation = next(5) << 28 | next(2) << 31 | next(6) << 24 | next(5) << 12 | next(5);
    execute(CALL_FUTEX, (uint64_t)&words[first], FUTEX_WAKE_OP | is_private, count, other_count, (uint64_t)&words[second],
            (uint32_t)operation);
    settle();
    print(" value ");
    print_number(words[second]);
}

void set_word(void)
{
    words[choose_word()] = (uint32_t)next(4);
}

void lock(void)
{
    int index = choose(IDLE);
    struct mutex *mutex = &mutexes[next(MUTEXES)];
    if (index == NOBODY || is_of(mutex, index)) {
        return;
    }
    workers[index].mutex = mutex;
    views[index].has_timeout = 0;
    tell(index, worker_lock, (mutex->word & FUTEX_OWNER) == 0 ? IDLE : IN_LOCK);
}

void unlock(void)
{
    int index = choose(IDLE);
    struct mutex *mutex = index != NOBODY ? choose_mutex(index) : NULL;
    if (mutex != NULL) {
        workers[index].mutex = mutex;
        tell(index, worker_unlock, IDLE);
    }
}

// The kernel wakes one of those who wait for the end of a thread.
void join(void)
{
    int index = choose(IDLE);
    int other = (int)next(WORKERS);
    if (index == NOBODY || other == index || views[other].activity == ABSENT) {
        return;
    }
    print_number(other);
    views[index].has_timeout = 0;
    tell_call(index, IN_JOIN, CALL_FUTEX, (uint64_t)&workers[other].thread_id, FUTEX_WAIT, workers[other].thread_id, 0, 0, 0);
}
