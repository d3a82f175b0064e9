// SPDX-License-Identifier: Apache-2.0
//
// Who receives a signal, and what ends with it: waits for signals and for children, and
// other threads.

#include "calls.h"
#include "signals.h"

#define MASK_SIZE 8
#define SIGUSR1 10
#define SIGUSR2 12
#define SIGCHLD 17
#define SIGCONT 18
#define SIGURG 23
#define SIGWINCH 28
#define SIG_IGN 1
#define SA_NOCLDWAIT 2
#define WEXITED 4
#define STACK_SIZE 16384

static const int64_t long_time[2] = { 20, 0 };

static uint64_t bit(uint32_t signal)
{
    return 1UL << (signal - 1);
}

static void set_mask(uint64_t mask)
{
    call(CALL_RT_SIGPROCMASK, 2, at(&mask), 0, MASK_SIZE);
}

static void pause_briefly(void)
{
    const int64_t time[2] = { 0, 20000000 };
    call(CALL_NANOSLEEP, at(time), 0, 0, 0);
}

static int64_t wait_for_signals(uint64_t set, const int64_t *time, struct info *info)
{
    return call(CALL_RT_SIGTIMEDWAIT, at(&set), at(info), at(time), MASK_SIZE);
}

// A child that sends signals to this process when that waits.
static int64_t start_sender(uint32_t first, uint32_t second)
{
    uint64_t parent = (uint64_t)call(CALL_GETPID, 0, 0, 0, 0);
    int64_t child = call(CALL_FORK, 0, 0, 0, 0);
    if (child == 0) {
        pause_briefly();
        call(CALL_KILL, parent, first, 0, 0);
        call(CALL_KILL, parent, second, 0, 0);
        exit_program(0);
    }
    return child;
}

// Those that have no effect without a handler, while the process waits for them.
static int awaited_signals(void)
{
    static const uint32_t signals[] = { SIGCHLD, SIGCONT, SIGURG, SIGWINCH };
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        struct info info = { 0 };
        set_mask(bit(signals[i]));
        int64_t child = start_sender(signals[i] == SIGCHLD ? 0 : signals[i], 0);
        print_line("signal", wait_for_signals(bit(signals[i]), long_time, &info));
        print_line("of the child", info.word == (uint32_t)child);
        print_line("wait", call(CALL_WAIT4, (uint64_t)child, 0, 0, 0) == child);
        set_mask(0);
    }
    set_handler(SIGUSR1, SIG_IGN, 0, 0);
    set_mask(bit(SIGUSR1));
    int64_t child = start_sender(SIGUSR1, 0);
    print_line("ignored", wait_for_signals(bit(SIGUSR1), long_time, NULL));
    print_line("wait", call(CALL_WAIT4, (uint64_t)child, 0, 0, 0) == child);
    // The end of a child is not told then.
    const int64_t brief[2] = { 0, 50000000 };
    set_handler(SIGCHLD, SIG_IGN, 0, 0);
    set_mask(bit(SIGCHLD));
    start_sender(0, 0);
    print_line("ignored child", wait_for_signals(bit(SIGCHLD), brief, NULL));
    print_line("wait", call(CALL_WAIT4, (uint64_t)-1, 0, 0, 0));
    return 0;
}

static volatile uint32_t handled[64];

static void handle(int signal)
{
    handled[signal]++;
}

// The signal of a child's end does not interrupt the wait for it.
static int children_with_handlers(void)
{
    int64_t found = 0;
    set_handler(SIGCHLD, (uint64_t)handle, 0, 0);
    set_handler(SIGUSR1, (uint64_t)handle, 0, 0);
    for (int i = 0; i < 10; i++) {
        int64_t child = start_sender(0, 0);
        found += call(CALL_WAIT4, (uint64_t)child, 0, 0, 0) == child;
        child = start_sender(0, 0);
        found += call6(CALL_WAITID, 1, (uint64_t)child, 0, WEXITED, 0, 0) == 0;
    }
    print_line("found", found);
    print_line("handled", handled[SIGCHLD]);
    // A child whose end another signal tells.
    int64_t child = call6(CALL_CLONE, SIGUSR1, 0, 0, 0, 0, 0);
    if (child == 0) {
        pause_briefly();
        exit_program(0);
    }
    print_line("other", call(CALL_WAIT4, (uint64_t)child, 0, 0x40000000, 0) == child);
    print_line("handled", handled[SIGUSR1]);
    set_handler(SIGCHLD, (uint64_t)handle, SA_NOCLDWAIT, 0);
    child = start_sender(0, 0);
    print_line("no children", call(CALL_WAIT4, (uint64_t)child, 0, 0, 0));
    print_line("handled", handled[SIGCHLD]);
    return 0;
}

static uint8_t stack[STACK_SIZE] __attribute__((aligned(16)));
static volatile int64_t result_of_thread;

static void suspend_in_thread(uint64_t mask)
{
    result_of_thread = call(CALL_RT_SIGSUSPEND, at(&mask), MASK_SIZE, 0, 0);
}

static void wait_in_thread(uint64_t set)
{
    result_of_thread = wait_for_signals(set, NULL, NULL);
}

// Two signals at the same time, of which this thread takes the first alone.
static int passed_on_signals(void)
{
    volatile uint32_t identifier;
    const uint64_t both = bit(SIGUSR1) | bit(SIGUSR2), others = ~both;
    set_handler(SIGUSR1, (uint64_t)handle, 0, bit(SIGUSR2));
    set_handler(SIGUSR2, (uint64_t)handle, 0, 0);
    set_mask(both);
    start_thread((uint64_t)suspend_in_thread, ~bit(SIGUSR2), (uint64_t)(stack + sizeof stack), &identifier);
    start_sender(SIGUSR1, SIGUSR2);
    print_line("suspend", call(CALL_RT_SIGSUSPEND, at(&others), MASK_SIZE, 0, 0));
    join_thread(&identifier);
    print_line("in the thread", result_of_thread);
    print_line("first", handled[SIGUSR1]);
    print_line("second", handled[SIGUSR2]);
    call(CALL_WAIT4, (uint64_t)-1, 0, 0, 0);
    start_thread((uint64_t)wait_in_thread, bit(SIGUSR2), (uint64_t)(stack + sizeof stack), &identifier);
    start_sender(SIGUSR1, SIGUSR2);
    print_line("wait", wait_for_signals(both, NULL, NULL));
    join_thread(&identifier);
    print_line("in the thread", result_of_thread);
    call(CALL_WAIT4, (uint64_t)-1, 0, 0, 0);
    return 0;
}

int received_signals(const char *name)
{
    if (equal(name, "awaited-signals")) {
        return awaited_signals();
    }
    if (equal(name, "children-with-handlers")) {
        return children_with_handlers();
    }
    return equal(name, "passed-on-signals") ? passed_on_signals() : -1;
}
