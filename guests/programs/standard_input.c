// SPDX-License-Identifier: Apache-2.0
//
// Waiting for standard input, while other threads and processes go on. A test writes to
// the input when a line says that the program waits for it.

#include "files.h"
#include "futex.h"
#include "signals.h"
#include "vector.h"

#define CALL_POLL 7
#define CALL_SELECT 23
#define CALL_SCHED_YIELD 24
#define CALL_NANOSLEEP 35
#define CALL_SETITIMER 38
#define CALL_FORK 57
#define CALL_WAIT4 61
#define CALL_TKILL 200
#define CALL_FUTEX 202
#define CALL_EPOLL_WAIT 232
#define CALL_EPOLL_CTL 233
#define CALL_EPOLL_CREATE1 291

#define SIGALRM 14
#define SA_RESTART 0x10000000UL
#define F_GETFL 3
#define F_SETFL 4
#define EPOLLET (1U << 31)

#define READERS 3
#define STACK_SIZE 16384

struct poll_entry {
    int32_t descriptor;
    int16_t events, returned;
};

struct epoll_event {
    uint32_t events;
    uint64_t data;
} __attribute__((packed));

static uint8_t stacks[READERS + 1][STACK_SIZE] __attribute__((aligned(16)));
static volatile uint32_t identifiers[READERS + 1];
static char text[200];

static void start(unsigned index, void (*function)(uint64_t))
{
    start_thread((uint64_t)function, index, (uint64_t)stacks[index + 1], &identifiers[index]);
}

static void sleep_briefly(void)
{
    const int64_t time[2] = { 0, 20000000 };
    call(CALL_NANOSLEEP, (uint64_t)time, 0, 0, 0);
}

// At most `size` bytes, which are printed, and the result.
static int64_t read_some(const char *name, uint64_t size)
{
    int64_t count = call(CALL_READ, 0, (uint64_t)text, size < sizeof text ? size : sizeof text - 1, 0);
    text[count > 0 ? count : 0] = 0;
    print(text);
    print("\n");
    print_line(name, count);
    return count;
}

static void set_flags(uint64_t flags)
{
    int64_t before = call(CALL_FCNTL, 0, F_GETFL, 0, 0);
    call(CALL_FCNTL, 0, F_SETFL, ((uint64_t)before & ~(uint64_t)O_NONBLOCK) | flags, 0);
}

// What a poll for input reports.
static void poll_input(const char *name, int64_t milliseconds)
{
    struct poll_entry entry = { 0, 1, 0 };
    print(name);
    print_line(" poll", call(CALL_POLL, (uint64_t)&entry, 1, (uint64_t)milliseconds, 0));
    // There can be more input than the test has written last.
    print_line("  events", entry.returned & 1 ? 1 : entry.returned);
}

static void select_input(const char *name, int64_t microseconds)
{
    int64_t time[2] = { 0, microseconds };
    uint64_t in = 1;
    uint64_t limit = microseconds >= 0 ? (uint64_t)time : 0;
    print(name);
    print_line(" select", call6(CALL_SELECT, 1, (uint64_t)&in, 0, 0, limit, 0));
    print_line("  set", (int64_t)in);
}

static void wait_for_event(const char *name, int64_t epoll, int64_t milliseconds)
{
    struct epoll_event event = { 0, 0 };
    print(name);
    print_line(" epoll", call(CALL_EPOLL_WAIT, (uint64_t)epoll, (uint64_t)&event, 1, (uint64_t)milliseconds));
    print_line("  events", event.events & 1 ? 1 : event.events);
}

static volatile int beats;

static void sleep_and_beat(uint64_t unused)
{
    (void)unused;
    for (beats = 0; beats < 3; beats++) {
        sleep_briefly();
    }
    print("beats\n");
}

// Computes without a system call until input was read: two threads that each need the other.
static volatile int has_read;

static void compute(uint64_t unused)
{
    (void)unused;
    print("computes\n");
    while (!has_read) {
        __asm__ volatile("" : : : "memory");
    }
}

static void yield(uint64_t unused)
{
    (void)unused;
    print("yields\n");
    while (!has_read) {
        call(CALL_SCHED_YIELD, 0, 0, 0, 0);
    }
}

static int other_threads(void)
{
    void (*const functions[])(uint64_t) = { sleep_and_beat, yield };
    for (unsigned i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        has_read = 0;
        start(0, functions[i]);
        read_some("read", 100);
        has_read = 1;
        join_thread(&identifiers[0]);
    }
    print_line("beats", beats);
    return 0;
}

// For drivers that interrupt programs.
static int computing_thread(void)
{
    start(0, compute);
    read_some("read", 100);
    has_read = 1;
    join_thread(&identifiers[0]);
    return 0;
}

static int polls(void)
{
    int64_t epoll = call(CALL_EPOLL_CREATE1, 0, 0, 0, 0);
    struct epoll_event event = { 1, 7 };
    poll_input("no", 0);
    poll_input("still no", 30);
    select_input("no", 0);
    select_input("still no", 30000);
    print_line("add", call(CALL_EPOLL_CTL, (uint64_t)epoll, 1, 0, (uint64_t)&event));
    wait_for_event("no", epoll, 0);
    wait_for_event("still no", epoll, 30);
    print("waits for a poll\n");
    poll_input("some", -1);
    poll_input("some", 0);
    select_input("some", 0);
    wait_for_event("some", epoll, 0);
    read_some("part", 2);
    poll_input("rest", 0);
    read_some("rest", 100);
    poll_input("none", 0);
    wait_for_event("none", epoll, 0);
    print("waits for select\n");
    select_input("some", -1);
    read_some("all", 100);
    print("waits for epoll\n");
    wait_for_event("some", epoll, -1);
    read_some("all", 100);
    event.events |= EPOLLET;
    print_line("modify", call(CALL_EPOLL_CTL, (uint64_t)epoll, 3, 0, (uint64_t)&event));
    wait_for_event("no edge", epoll, 30);
    print("waits for an edge\n");
    wait_for_event("edge", epoll, -1);
    wait_for_event("no other edge", epoll, 30);
    read_some("all", 100);
    print("waits for another edge\n");
    wait_for_event("other edge", epoll, -1);
    read_some("all", 100);
    print("waits for vectors\n");
    static char first[2];
    static char second[10];
    const struct vector vectors[] = { { first, sizeof first }, { second, sizeof second } };
    print_line("vectors", call(CALL_READV, 0, (uint64_t)vectors, 2, 0));
    print("waits for the end\n");
    poll_input("end", -1);
    poll_input("end", 0);
    select_input("end", 0);
    wait_for_event("end", epoll, -1);
    read_some("end", 100);
    read_some("end again", 100);
    poll_input("end", -1);
    return 0;
}

static int without_waiting(void)
{
    set_flags(O_NONBLOCK);
    read_some("nothing", 100);
    read_some("nothing again", 100);
    int64_t copy = call(CALL_DUP, 0, 0, 0, 0);
    print_line("nothing in a copy", call(CALL_READ, (uint64_t)copy, (uint64_t)text, 10, 0));
    print_line("flag in a copy", call(CALL_FCNTL, (uint64_t)copy, F_GETFL, 0, 0) & O_NONBLOCK);
    print("waits for some\n");
    poll_input("some", -1);
    read_some("part", 1);
    read_some("rest", 100);
    read_some("nothing", 100);
    set_flags(0);
    print("waits with a read\n");
    read_some("read", 100);
    set_flags(O_NONBLOCK);
    print("waits for the end\n");
    poll_input("end", -1);
    read_some("end", 100);
    return 0;
}

static volatile int signals_seen;

static void count_signal(int signal)
{
    (void)signal;
    if (++signals_seen == 2) {
        print("waits with signals\n");
    }
}

static void set_timer(int64_t microseconds)
{
    const int64_t time[4] = { 0, microseconds, 0, microseconds };
    call(CALL_SETITIMER, 0, (uint64_t)time, 0, 0);
}

static int interrupted(void)
{
    // The first signals may come before the read.
    signals_seen = 10;
    set_handler(SIGALRM, (uint64_t)count_signal, 0, 0);
    set_timer(100000);
    read_some("interrupted", 100);
    struct poll_entry entry = { 0, 1, 0 };
    print_line("interrupted poll", call(CALL_POLL, (uint64_t)&entry, 1, (uint64_t)-1, 0));
    set_timer(0);
    signals_seen = 0;
    set_handler(SIGALRM, (uint64_t)count_signal, SA_RESTART, 0);
    set_timer(100000);
    read_some("restarted", 100);
    set_timer(0);
    return 0;
}

static void wait_for(int64_t process)
{
    uint32_t status = 0;
    call(CALL_WAIT4, (uint64_t)process, (uint64_t)&status, 0, 0);
    print_line("status", status);
}

static int other_processes(void)
{
    int64_t child = call(CALL_FORK, 0, 0, 0, 0);
    if (child == 0) {
        sleep_briefly();
        print("child\n");
        exit_program(1);
    }
    read_some("parent", 100);
    wait_for(child);
    child = call(CALL_FORK, 0, 0, 0, 0);
    if (child == 0) {
        print("waits in the child\n");
        read_some("child", 2);
        exit_program(2);
    }
    wait_for(child);
    read_some("rest for the parent", 100);
    child = call(CALL_FORK, 0, 0, 0, 0);
    if (child == 0) {
        print("waits until it is killed\n");
        read_some("not reached", 100);
        exit_program(3);
    }
    sleep_briefly();
    call(CALL_KILL, (uint64_t)child, 9, 0, 0);
    wait_for(child);
    return 0;
}

static volatile int64_t counts[READERS];

static void read_one(uint64_t index)
{
    char byte;
    counts[index] = call(CALL_READ, 0, (uint64_t)&byte, 1, 0);
}

static void await_one(uint64_t index)
{
    struct poll_entry entry = { 0, 1, 0 };
    (void)index;
    call(CALL_POLL, (uint64_t)&entry, 1, (uint64_t)-1, 0);
    print_line("polled", entry.returned & 1 ? 1 : entry.returned);
}

// Each gets a byte, and the last one the end.
static int several_readers(void)
{
    for (unsigned i = 0; i < READERS; i++) {
        start(i, read_one);
    }
    sleep_briefly();
    print("readers wait\n");
    for (unsigned i = 0; i < READERS; i++) {
        join_thread(&identifiers[i]);
        print_line("count", counts[i]);
    }
    start(READERS, await_one);
    sleep_briefly();
    print("waits with a poll\n");
    join_thread(&identifiers[READERS]);
    read_some("rest", 100);
    for (unsigned i = 0; i < READERS; i++) {
        start(i, read_one);
    }
    start(READERS, await_one);
    sleep_briefly();
    print("waits for the end\n");
    for (unsigned i = 0; i <= READERS; i++) {
        join_thread(&identifiers[i]);
    }
    for (unsigned i = 0; i < READERS; i++) {
        print_line("end", counts[i]);
    }
    return 0;
}

// Reads once. What then ends the thread is not the input.
static void read_and_pause(uint64_t unused)
{
    static volatile uint32_t never;
    char byte;
    (void)unused;
    call(CALL_READ, 0, (uint64_t)&byte, 1, 0);
    while (!signals_seen) {
        call(CALL_FUTEX, (uint64_t)&never, FUTEX_WAIT, 0, 0);
    }
}

// Waits until there is input, without a moment in which another thread goes on, and takes
// what a thread that waits for it, and goes on because of it, has left.
static void take_input(void)
{
    struct poll_entry entry = { 0, 1, 0 };
    while (call(CALL_POLL, (uint64_t)&entry, 1, 0, 0) != 1) {
    }
    set_flags(O_NONBLOCK);
    while (call(CALL_READ, 0, (uint64_t)text, sizeof text, 0) > 0) {
    }
    set_flags(0);
}

// A thread waits for input that another one takes before it has its turn. It does not wait again
// when a signal comes, or when its process ends.
static int taken_input(void)
{
    set_handler(SIGALRM, (uint64_t)count_signal, 0, 0);
    start(0, read_and_pause);
    sleep_briefly();
    print("waits for a signal\n");
    take_input();
    call(CALL_TKILL, identifiers[0], SIGALRM, 0, 0);
    join_thread(&identifiers[0]);
    print_line("signals", signals_seen);
    signals_seen = 0;

    int64_t child = call(CALL_FORK, 0, 0, 0, 0);
    if (child == 0) {
        read_and_pause(0);
    }
    sleep_briefly();
    print("waits until it is killed\n");
    take_input();
    call(CALL_KILL, (uint64_t)child, 9, 0, 0);
    wait_for(child);

    child = call(CALL_FORK, 0, 0, 0, 0);
    if (child == 0) {
        start(0, read_and_pause);
        sleep_briefly();
        print("waits until the process ends\n");
        take_input();
        call(CALL_EXIT_GROUP, 5, 0, 0, 0);
    }
    wait_for(child);
    return 0;
}

// Reads all of the input, however it is asked whether there is some.
static int all_input(void)
{
    static char part[1000];
    int64_t total = 0;
    int64_t sum = 0;
    struct poll_entry entry = { 0, 1, 0 };
    for (;;) {
        call(CALL_POLL, (uint64_t)&entry, 1, (uint64_t)-1, 0);
        if (!(entry.returned & 1)) {
            break;
        }
        int64_t count = call(CALL_READ, 0, (uint64_t)part, sizeof part, 0);
        for (int64_t i = 0; i < count; i++) {
            sum += part[i];
        }
        total += count;
    }
    print_line("total", total);
    print_line("sum", sum);
    print_line("hang up", entry.returned);
    return 0;
}

// One call takes all that a pipe has.
static int whole_input(void)
{
    static char whole[60000];
    int64_t count;
    int64_t calls = 0;
    // A pipe may be filled in parts.
    for (int64_t total = 0; total < (int64_t)sizeof whole; total += count) {
        count = call(CALL_READ, 0, (uint64_t)whole, sizeof whole, 0);
        if (count <= 0) {
            return 1;
        }
        calls++;
    }
    print_line("calls", calls);
    return 0;
}

// The input is empty before the checkpoint, and that of the run after it.
static int input_after_checkpoint(void)
{
    int64_t epoll = call(CALL_EPOLL_CREATE1, 0, 0, 0, 0);
    struct epoll_event event = { 1 | EPOLLET, 7 };
    call(CALL_EPOLL_CTL, (uint64_t)epoll, 1, 0, (uint64_t)&event);
    wait_for_event("before", epoll, -1);
    read_some("before", 10);
    int64_t ready = open_file("/dev/hyperlight/ready", O_RDONLY, 0);
    call(CALL_READ, (uint64_t)ready, (uint64_t)text, sizeof text, 0);
    wait_for_event("after", epoll, -1);
    poll_input("after", 0);
    read_some("after", 10);
    return 0;
}

// Nothing can go on: nobody waits for input any more.
static int deadlock(void)
{
    static volatile uint32_t never = 1;
    poll_input("no", 0);
    set_flags(O_NONBLOCK);
    read_some("nothing", 1);
    join_thread(&never);
    return 0;
}

int standard_input(const char *name)
{
    static const struct {
        const char *name;
        int (*function)(void);
    } commands[] = {
        { "input-threads", other_threads },
        { "input-computing", computing_thread },
        { "input-polls", polls },
        { "input-without-waiting", without_waiting },
        { "input-signals", interrupted },
        { "input-processes", other_processes },
        { "input-readers", several_readers },
        { "input-taken", taken_input },
        { "input-all", all_input },
        { "input-whole", whole_input },
        { "input-checkpoint", input_after_checkpoint },
        { "input-deadlock", deadlock },
    };
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (equal(name, commands[i].name)) {
            return commands[i].function();
        }
    }
    return -1;
}
