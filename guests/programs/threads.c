// SPDX-License-Identifier: Apache-2.0
//
// Threads and futexes.

#include "futex.h"
#include "signals.h"
#include "start.h"

#define CALL_CLONE 56
#define CALL_GETTID 186
#define CALL_FUTEX 202
#define CALL_SCHED_YIELD 24
#define CALL_TGKILL 234
#define CALL_NANOSLEEP 35

#define THREAD_FLAGS 0x3D0F00UL

#define SA_RESTART 0x10000000UL

#define STACK_SIZE 4096
#define MOST_STACKS 8

static uint8_t stacks[MOST_STACKS][STACK_SIZE] __attribute__((aligned(16)));
static volatile uint32_t identifiers[MOST_STACKS];

// The child finds its function and argument on its stack.
__asm__(".globl clone_to_stack\n"
        "clone_to_stack:\n"
        "    mov %r8, %r10\n"
        "    xor %r8d, %r8d\n"
        "    mov $56, %eax\n"
        "    syscall\n"
        "    test %rax, %rax\n"
        "    jz 1f\n"
        "    ret\n"
        "1:  pop %rax\n"
        "    pop %rdi\n"
        "    call *%rax\n"
        "    xor %edi, %edi\n"
        "    mov $60, %eax\n"
        "    syscall\n"
        "    ud2\n");

// clone(flags, stack, parent_tid), r8: child_tid. There is no thread-local storage.
int64_t clone_to_stack(uint64_t flags, uint64_t stack, volatile uint32_t *parent, uint64_t unused,
                       volatile uint32_t *child);

int64_t start_thread(uint64_t function, uint64_t argument, uint64_t stack_top, volatile uint32_t *identifier)
{
    uint64_t *stack = (uint64_t *)stack_top;
    *--stack = argument;
    *--stack = function;
    // Without CLONE_SETTLS.
    return clone_to_stack(THREAD_FLAGS & ~0x80000UL, (uint64_t)stack, identifier, 0, identifier);
}

static int64_t futex(volatile uint32_t *word, uint64_t operation, uint64_t value, uint64_t timeout,
                     volatile uint32_t *other, uint64_t last)
{
    return call6(CALL_FUTEX, (uint64_t)word, operation, value, timeout, (uint64_t)other, last);
}

void join_thread(volatile uint32_t *identifier)
{
    for (uint32_t value = *identifier; value != 0; value = *identifier) {
        futex(identifier, FUTEX_WAIT, value, 0, NULL, 0);
    }
}

static int64_t start(unsigned index, void (*function)(uint64_t), uint64_t argument)
{
    return start_thread((uint64_t)function, argument, (uint64_t)stacks[index + 1], &identifiers[index]);
}

static volatile uint32_t word;
static volatile uint32_t other_word;
static volatile uint32_t counter;
static volatile uint32_t waiting;

static void wait_milliseconds(uint64_t count)
{
    const uint64_t time[2] = { 0, count * 1000000 };
    call6(CALL_NANOSLEEP, (uint64_t)time, 0, 0, 0, 0, 0);
}

static void add(uint64_t value)
{
    for (int i = 0; i < 1000; i++) {
        __atomic_fetch_add(&counter, (uint32_t)value, __ATOMIC_SEQ_CST);
        if (i % 100 == 0) {
            call6(CALL_SCHED_YIELD, 0, 0, 0, 0, 0, 0);
        }
    }
}

static int add_in_threads(void)
{
    int64_t self = call6(CALL_GETTID, 0, 0, 0, 0, 0, 0);
    print_line("main thread", self == call6(CALL_GETPID, 0, 0, 0, 0, 0, 0));
    int64_t last = self;
    int ascending = 1;
    for (unsigned i = 0; i < MOST_STACKS - 1; i++) {
        int64_t id = start(i, add, i + 1);
        ascending &= id > last;
        last = id;
    }
    for (unsigned i = 0; i < MOST_STACKS - 1; i++) {
        join_thread(&identifiers[i]);
    }
    print_line("ids", ascending);
    print_line("sum", counter);
    return 0;
}

// The registers of a thread are its own, vectors too.
static volatile double sums[MOST_STACKS];

static void compute(uint64_t index)
{
    double sum = (double)index;
    for (int i = 1; i < 500; i++) {
        sum = sum * 1.001 + 1.0 / i;
        call6(CALL_SCHED_YIELD, 0, 0, 0, 0, 0, 0);
    }
    sums[index] = sum;
}

static int compute_in_threads(void)
{
    for (unsigned i = 0; i < 4; i++) {
        start(i, compute, i);
    }
    for (unsigned i = 0; i < 4; i++) {
        join_thread(&identifiers[i]);
        print_line("sum", (int64_t)(sums[i] * 1e9));
    }
    return 0;
}

static int futex_errors(void)
{
    const uint64_t soon[2] = { 0, 1000000 };
    const uint64_t invalid[2] = { 0, 1000000000 };
    word = 5;
    print_line("value", futex(&word, FUTEX_WAIT, 4, 0, NULL, 0));
    print_line("timeout", futex(&word, FUTEX_WAIT, 5, (uint64_t)soon, NULL, 0));
    print_line("absolute timeout", futex(&word, FUTEX_WAIT_BITSET, 5, (uint64_t)soon, NULL, 1));
    print_line("realtime timeout", futex(&word, FUTEX_WAIT_BITSET | FUTEX_REALTIME, 5, (uint64_t)soon, NULL, 1));
    print_line("invalid timeout", futex(&word, FUTEX_WAIT, 5, (uint64_t)invalid, NULL, 0));
    print_line("bad timeout", futex(&word, FUTEX_WAIT, 5, 16, NULL, 0));
    print_line("odd address", futex((volatile uint32_t *)((uint64_t)&word + 1), FUTEX_WAIT, 5, 0, NULL, 0));
    print_line("odd wake", futex((volatile uint32_t *)((uint64_t)&word + 2), FUTEX_WAKE, 1, 0, NULL, 0));
    print_line("bad address", futex((volatile uint32_t *)16, FUTEX_WAIT, 5, 0, NULL, 0));
    print_line("kernel address", futex((volatile uint32_t *)0xFFFFFF0000000000UL, FUTEX_WAKE | FUTEX_PRIVATE, 1, 0, NULL, 0));
    print_line("no bits", futex(&word, FUTEX_WAIT_BITSET, 5, 0, NULL, 0));
    print_line("no bits to wake", futex(&word, FUTEX_WAKE_BITSET, 1, 0, NULL, 0));
    print_line("wake", futex(&word, FUTEX_WAKE, 10, 0, NULL, 0));
    print_line("requeue", futex(&word, FUTEX_REQUEUE, 1, 1, &other_word, 0));
    print_line("compare", futex(&word, FUTEX_CMP_REQUEUE, 1, 1, &other_word, 4));
    print_line("equal", futex(&word, FUTEX_CMP_REQUEUE, 1, 1, &other_word, 5));
    print_line("negative", futex(&word, FUTEX_REQUEUE, (uint64_t)-1, 1, &other_word, 0));
    // other_word += 3, then wakes if it was 0.
    print_line("operation", futex(&word, FUTEX_WAKE_OP, 1, 1, &other_word, 1UL << 28 | 3 << 12));
    print_line("result", other_word);
    print_line("shifted", futex(&word, FUTEX_WAKE_OP, 1, 1, &other_word, 8UL << 28 | 5UL << 12));
    print_line("result", other_word);
    print_line("robust list", call6(273, 0, 23, 0, 0, 0, 0));
    print_line("no such command", futex(&word, 77, 0, 0, NULL, 0));
    return 0;
}

static void wait_for_word(uint64_t index)
{
    __atomic_fetch_add(&waiting, 1, __ATOMIC_SEQ_CST);
    futex(&word, FUTEX_WAIT_BITSET, 1, 0, NULL, 1UL << index);
    __atomic_fetch_add(&counter, 1, __ATOMIC_SEQ_CST);
}

// Threads are on the way to their wait when they have counted themselves.
static void start_waiting(unsigned count)
{
    word = 1;
    for (unsigned i = 0; i < count; i++) {
        start(i, wait_for_word, i);
        while (waiting != i + 1) {
            call6(CALL_SCHED_YIELD, 0, 0, 0, 0, 0, 0);
        }
        wait_milliseconds(20);
    }
}

static void wait_for_count(uint32_t count)
{
    while (counter != count) {
        call6(CALL_SCHED_YIELD, 0, 0, 0, 0, 0, 0);
    }
}

static int requeue(void)
{
    start_waiting(4);
    print_line("requeue", futex(&word, FUTEX_CMP_REQUEUE, 1, 2, &other_word, 1));
    wait_for_count(1);
    join_thread(&identifiers[0]);
    print_line("left", futex(&word, FUTEX_WAKE, 10, 0, NULL, 0));
    join_thread(&identifiers[3]);
    wait_for_count(2);
    print_line("other bits", futex(&other_word, FUTEX_WAKE_BITSET, 10, 0, NULL, 1));
    print_line("bits", futex(&other_word, FUTEX_WAKE_BITSET, 10, 0, NULL, 4));
    join_thread(&identifiers[2]);
    print_line("last", futex(&other_word, FUTEX_WAKE, 10, 0, NULL, 0));
    join_thread(&identifiers[1]);
    print_line("count", counter);
    return 0;
}

static struct {
    uint64_t next;
    int64_t offset;
    uint64_t pending;
} robust_head;
static struct {
    uint64_t next;
    volatile uint32_t lock;
} robust_entry;

static void lock_and_end(uint64_t unused)
{
    (void)unused;
    robust_head.next = (uint64_t)&robust_entry;
    robust_head.offset = 8;
    robust_entry.next = (uint64_t)&robust_head;
    robust_entry.lock = (uint32_t)call6(CALL_GETTID, 0, 0, 0, 0, 0, 0) | FUTEX_WAITERS;
    call6(273, (uint64_t)&robust_head, sizeof robust_head, 0, 0, 0, 0);
}

static int robust(void)
{
    start(0, lock_and_end, 0);
    join_thread(&identifiers[0]);
    print_line("lock", robust_entry.lock);
    return 0;
}

// Moves those who wait to where they are, until there is one.
static void wait_for_waiter(volatile uint32_t *place)
{
    while (futex(place, FUTEX_REQUEUE, 0, 100, place, 0) != 1) {
        call6(CALL_SCHED_YIELD, 0, 0, 0, 0, 0, 0);
    }
}

static void unlock_and_end(uint64_t unused)
{
    (void)unused;
    robust_head.next = (uint64_t)&robust_head;
    robust_head.offset = 8;
    robust_head.pending = (uint64_t)&robust_entry;
    call6(273, (uint64_t)&robust_head, sizeof robust_head, 0, 0, 0, 0);
}

static void wait_for_lock(uint64_t unused)
{
    (void)unused;
    counter = (uint32_t)futex(&robust_entry.lock, FUTEX_WAIT, 0, 0, NULL, 0);
}

// A thread that has unlocked ends before it wakes the one that waits: the kernel does it.
static int robust_unlock(void)
{
    counter = 1;
    start(0, wait_for_lock, 0);
    wait_for_waiter(&robust_entry.lock);
    start(1, unlock_and_end, 0);
    join_thread(&identifiers[1]);
    print_line("left", futex(&robust_entry.lock, FUTEX_WAKE, 1, 0, NULL, 0));
    join_thread(&identifiers[0]);
    print_line("woken", counter);
    print_line("lock", robust_entry.lock);
    return 0;
}

static void ignore(int signal)
{
    (void)signal;
}

static void wait_very_long(uint64_t unused)
{
    const uint64_t time[2] = { 100000000000, 0 };
    (void)unused;
    counter = (uint32_t)futex(&word, FUTEX_WAIT, 0, (uint64_t)time, NULL, 0);
}

// Also a timeout that never comes ends a wait that a handler interrupts.
static int interrupt_long_wait(void)
{
    set_handler(10, (uint64_t)ignore, SA_RESTART, 0);
    // The frame of the handler needs the space of all stacks.
    start_thread((uint64_t)wait_very_long, 0, (uint64_t)stacks[MOST_STACKS], &identifiers[0]);
    wait_for_waiter(&word);
    call6(CALL_TGKILL, (uint64_t)call6(CALL_GETPID, 0, 0, 0, 0, 0, 0), identifiers[0], 10, 0, 0, 0);
    join_thread(&identifiers[0]);
    print_line("interrupted", (int32_t)counter);
    return 0;
}

// A word of the process alone is another one than the same word for all.
static int private_futex(void)
{
    word = 1;
    start(0, wait_for_word, 0);
    wait_for_waiter(&word);
    print_line("private", futex(&word, FUTEX_WAKE | FUTEX_PRIVATE, 1, 0, NULL, 0));
    print_line("requeue", futex(&word, FUTEX_REQUEUE | FUTEX_PRIVATE, 1, 1, &other_word, 0));
    print_line("operation", futex(&other_word, FUTEX_WAKE_OP | FUTEX_PRIVATE, 1, 1, &word, 1UL << 28 | 1UL << 24 | 9));
    print_line("for all", futex(&word, FUTEX_WAKE, 1, 0, NULL, 0));
    join_thread(&identifiers[0]);
    return 0;
}

static int clone_errors(void)
{
    static const uint64_t flags[] = { 0x10000, 0x800, 0x10900 & ~0x100UL };
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        print_line("clone", call6(CALL_CLONE, flags[i], (uint64_t)stacks[1], 0, 0, 0, 0));
    }
    uint64_t arguments[12] = { 0x3D0F00 };
    print_line("small", call6(435, (uint64_t)arguments, 63, 0, 0, 0, 0));
    print_line("large", call6(435, (uint64_t)arguments, 8192, 0, 0, 0, 0));
    print_line("pointer", call6(435, 16, 88, 0, 0, 0, 0));
    arguments[5] = (uint64_t)stacks[0];
    print_line("stack without a size", call6(435, (uint64_t)arguments, 88, 0, 0, 0, 0));
    arguments[6] = STACK_SIZE;
    arguments[4] = 17;
    print_line("exit signal", call6(435, (uint64_t)arguments, 88, 0, 0, 0, 0));
    arguments[4] = 0;
    arguments[11] = 1;
    print_line("unknown field", call6(435, (uint64_t)arguments, 96, 0, 0, 0, 0));
    print_line("no thread", call6(200, 999999, 0, 0, 0, 0, 0));
    print_line("thread 0", call6(200, 0, 0, 0, 0, 0, 0));
    print_line("affinity size", call6(204, 0, 7, (uint64_t)arguments, 0, 0, 0));
    print_line("priority", call6(143, 0, 0, 0, 0, 0, 0));
    return 0;
}

static void end_program(uint64_t code)
{
    call6(CALL_EXIT_GROUP, code, 0, 0, 0, 0, 0);
}

static void wait_forever(uint64_t unused)
{
    (void)unused;
    futex(&other_word, FUTEX_WAIT, 0, 0, NULL, 0);
}

static void end_later(uint64_t code)
{
    wait_milliseconds(30);
    call6(CALL_EXIT, code, 0, 0, 0, 0, 0);
}

// VM only: until there are too many.
static int exhaust_threads(void)
{
    int64_t error;
    uint32_t count = 0;
    static volatile uint32_t ids[1000];
    for (;;) {
        int64_t stack = call6(CALL_MMAP, 0, 8192, 3, 0x22, (uint64_t)-1, 0);
        if (stack < 0 && stack > -4096) {
            error = stack;
            break;
        }
        error = start_thread((uint64_t)wait_forever, 0, (uint64_t)stack + 8192, &ids[count]);
        if (error < 0) {
            break;
        }
        count++;
    }
    print_line("refused", error);
    print_line("threads", count);
    // A time slice may end before a thread waits.
    int64_t woken = 0;
    while (woken < count) {
        call6(CALL_SCHED_YIELD, 0, 0, 0, 0, 0, 0);
        woken += futex(&other_word, FUTEX_WAKE, 10000, 0, NULL, 0);
    }
    print_line("woken", woken);
    for (uint32_t i = 0; i < count; i++) {
        join_thread(&ids[i]);
    }
    print_line("again", start(0, add, 1) > 0);
    join_thread(&identifiers[0]);
    return 0;
}

int threads(const char *name)
{
    if (equal(name, "threads")) {
        return add_in_threads();
    }
    if (equal(name, "thread-vectors")) {
        return compute_in_threads();
    }
    if (equal(name, "futex")) {
        return futex_errors();
    }
    if (equal(name, "requeue")) {
        return requeue();
    }
    if (equal(name, "robust")) {
        return robust();
    }
    if (equal(name, "robust-unlock")) {
        return robust_unlock();
    }
    if (equal(name, "interrupted-long-wait")) {
        return interrupt_long_wait();
    }
    if (equal(name, "private-futex")) {
        return private_futex();
    }
    if (equal(name, "clone-errors")) {
        return clone_errors();
    }
    if (equal(name, "exit-of-thread")) {
        start(0, end_program, 11);
        wait_forever(0);
        return 1;
    }
    if (equal(name, "exit-of-main")) {
        start(0, end_later, 12);
        call6(CALL_EXIT, 13, 0, 0, 0, 0, 0);
    }
    if (equal(name, "deadlock")) {
        start(0, wait_forever, 0);
        wait_forever(0);
        return 1;
    }
    if (equal(name, "exhaust-threads")) {
        return exhaust_threads();
    }
    return -1;
}
