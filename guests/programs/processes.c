// SPDX-License-Identifier: Apache-2.0
//
// Processes: fork, execve and wait4.

#include "start.h"
#include "signals.h"

#define CALL_CLOSE 3
#define CALL_DUP2 33
#define CALL_NANOSLEEP 35
#define CALL_GETITIMER 36
#define CALL_ALARM 37
#define CALL_SETITIMER 38
#define CALL_CLONE 56
#define CALL_FORK 57
#define CALL_EXECVE 59
#define CALL_WAIT4 61
#define CALL_SETPGID 109
#define CALL_GETPPID 110
#define CALL_GETPGRP 111
#define CALL_SETSID 112
#define CALL_TIMER_CREATE 222
#define CALL_WAITID 247
#define CALL_PIPE2 293
#define CALL_CLOSE_RANGE 436

#define WNOHANG 1
#define WNOTHREAD 0x20000000UL
#define WALL 0x40000000UL
#define WCLONE 0x80000000UL
#define SIGCHLD 17
#define CLONE_FILES 0x400
#define CLOSE_RANGE_UNSHARE 2

static int64_t fork_process(void)
{
    return call6(CALL_FORK, 0, 0, 0, 0, 0, 0);
}

static int64_t wait_for(int64_t process, uint32_t *status, uint64_t options)
{
    return call6(CALL_WAIT4, (uint64_t)process, (uint64_t)status, options, 0, 0, 0);
}

// Waits for a process, and prints its status.
static void print_status(const char *name, int64_t process)
{
    uint32_t status = 0;
    print_line(name, wait_for(process, &status, 0) == process);
    print_line("status", status);
}

static void pause_briefly(void)
{
    const uint64_t time[2] = { 0, 20000000 };
    call6(CALL_NANOSLEEP, (uint64_t)time, 0, 0, 0, 0, 0);
}

static volatile uint64_t memory[12000];

// Each process has its own memory.
static int forks(void)
{
    memory[500] = 1;
    memory[11000] = 2;
    int64_t self = call6(CALL_GETPID, 0, 0, 0, 0, 0, 0);
    int64_t child = fork_process();
    if (child == 0) {
        print_line("parent", call6(CALL_GETPPID, 0, 0, 0, 0, 0, 0) == self);
        print_line("kept", (int64_t)(memory[500] + memory[11000]));
        memory[500] = 10;
        memory[1000] = 20;
        int64_t grandchild = fork_process();
        if (grandchild == 0) {
            memory[500]++;
            exit_program((int)memory[500]);
        }
        print_status("grandchild", grandchild);
        print_line("child", (int64_t)(memory[500] + memory[1000]));
        exit_program(5);
    }
    memory[500] = 3;
    print_status("child ended", child);
    print_line("parent", (int64_t)(memory[500] + memory[1000] + memory[11000]));
    for (int i = 0; i < 50; i++) {
        child = fork_process();
        if (child == 0) {
            memory[i * 200] = 1;
            exit_program(i);
        }
        uint32_t status;
        wait_for(child, &status, 0);
        if (status != (uint32_t)i << 8 || memory[i * 200 + 7] != 0) {
            return 1;
        }
    }
    print_line("no child", wait_for(-1, NULL, 0));
    print_line("no child", wait_for(self, NULL, 0));
    print_line("options", wait_for(-1, NULL, 0x100));
    return 0;
}

static void receive(int signal)
{
    print_line("signal", signal);
}

static int ends(void)
{
    int64_t child = fork_process();
    if (child == 0) {
        for (;;) {
            pause_briefly();
        }
    }
    uint32_t status = 0;
    print_line("runs", wait_for(child, &status, WNOHANG));
    call6(CALL_KILL, (uint64_t)child, 15, 0, 0, 0, 0);
    print_status("terminated", child);
    print_line("gone", call6(CALL_KILL, (uint64_t)child, 0, 0, 0, 0, 0));
    child = fork_process();
    if (child == 0) {
        *(volatile int *)8 = 1;
    }
    uint32_t info[32] = { 0 };
    print_line("waitid", call6(CALL_WAITID, 1, (uint64_t)child, (uint64_t)info, 4 | 0x1000000, 0, 0));
    print_line("killed", info[2] == 2 || info[2] == 3);
    print_line("signal", info[6] & 0x7F);
    print_line("same", info[4] == child);
    uint32_t ended = 0;
    print_line("still there", wait_for(child, &ended, 0) == child);
    set_handler(17, (uint64_t)receive, 0, 0);
    child = fork_process();
    if (child == 0) {
        exit_program(3);
    }
    while (wait_for(child, &status, 0) == -4) {
    }
    print_line("status", status);
    set_handler(17, 1, 0, 0);
    child = fork_process();
    if (child == 0) {
        exit_program(3);
    }
    print_line("ignored", wait_for(child, &status, 0));
    return 0;
}

// A child's output through a pipe, and the program again as another process.
static int executes(const struct start *start)
{
    int32_t ends[2];
    char text[64];
    call6(CALL_PIPE2, (uint64_t)ends, 0, 0, 0, 0, 0);
    int64_t child = fork_process();
    if (child == 0) {
        const char *const arguments[] = { start->arguments[0], "arguments", "one", "two", NULL };
        const char *const environment[] = { "A=b", NULL };
        call6(CALL_DUP2, (uint64_t)ends[1], 1, 0, 0, 0, 0);
        call6(CALL_CLOSE, (uint64_t)ends[0], 0, 0, 0, 0, 0);
        call6(CALL_CLOSE, (uint64_t)ends[1], 0, 0, 0, 0, 0);
        call6(CALL_EXECVE, (uint64_t)start->arguments[0], (uint64_t)arguments, (uint64_t)environment, 0, 0, 0);
        exit_program(99);
    }
    call6(CALL_CLOSE, (uint64_t)ends[1], 0, 0, 0, 0, 0);
    int64_t size;
    while ((size = call6(CALL_READ, (uint64_t)ends[0], (uint64_t)text, sizeof text - 1, 0, 0, 0)) > 0) {
        text[size] = 0;
        print(text);
    }
    print_status("executed", child);
    const char *const none[] = { NULL };
    print_line("no file", call6(CALL_EXECVE, (uint64_t)"/no/such/file", (uint64_t)none, (uint64_t)none, 0, 0, 0));
    print_line("directory", call6(CALL_EXECVE, (uint64_t)"/", (uint64_t)none, (uint64_t)none, 0, 0, 0));
    print_line("bad path", call6(CALL_EXECVE, 16, (uint64_t)none, (uint64_t)none, 0, 0, 0));
    print_line("bad arguments", call6(CALL_EXECVE, (uint64_t)start->arguments[0], 16, (uint64_t)none, 0, 0, 0));
    const char *const bad[] = { start->arguments[0], (const char *)16, NULL };
    print_line("bad string", call6(CALL_EXECVE, (uint64_t)start->arguments[0], (uint64_t)bad, (uint64_t)none, 0, 0, 0));
    return 0;
}

static uint8_t stacks[2][4096] __attribute__((aligned(16)));
static volatile uint32_t identifier;

static void wait_for_ever(uint64_t unused)
{
    (void)unused;
    for (;;) {
        pause_briefly();
    }
}

static void execute_self(uint64_t start_address)
{
    const struct start *start = (const struct start *)start_address;
    const char *const arguments[] = { start->arguments[0], "exit", "23", NULL };
    call6(CALL_EXECVE, (uint64_t)start->arguments[0], (uint64_t)arguments, (uint64_t)(arguments + 3), 0, 0, 0);
}

// Of several threads one executes a program.
static int execute_in_thread(const struct start *start)
{
    static volatile uint32_t other;
    start_thread((uint64_t)wait_for_ever, 0, (uint64_t)stacks[1], &other);
    start_thread((uint64_t)execute_self, (uint64_t)start, (uint64_t)stacks[2], &identifier);
    wait_for_ever(0);
    return 1;
}

// The parent waits until the child has ended, and sees what it has written.
static int shares(void)
{
    static volatile int written;
    int64_t child = call6(CALL_CLONE, 0x4111, 0, 0, 0, 0, 0);
    if (child == 0) {
        pause_briefly();
        written = 7;
        exit_program(4);
    }
    print_line("written", written);
    print_status("child", child);
    return 0;
}

// A child that has the descriptors of its parent gets its own.
static int unshared_descriptors(void)
{
    int32_t ends[2];
    call6(CALL_PIPE2, (uint64_t)ends, 0, 0, 0, 0, 0);
    int64_t child = call6(CALL_CLONE, CLONE_FILES | SIGCHLD, 0, 0, 0, 0, 0);
    if (child == 0) {
        print_line("close", call6(CALL_CLOSE, (uint64_t)ends[0], 0, 0, 0, 0, 0));
        print_line("close own", call6(CALL_CLOSE_RANGE, (uint64_t)ends[1], ~0UL, CLOSE_RANGE_UNSHARE, 0, 0, 0));
        print_line("closed", call6(CALL_WRITE, (uint64_t)ends[1], (uint64_t)"x", 1, 0, 0, 0));
        exit_program(0);
    }
    print_status("child", child);
    print_line("closed by the child", call6(CALL_CLOSE, (uint64_t)ends[0], 0, 0, 0, 0, 0));
    print_line("kept", call6(CALL_CLOSE, (uint64_t)ends[1], 0, 0, 0, 0, 0));
    print_line("alone", call6(CALL_CLOSE_RANGE, 10, ~0UL, CLOSE_RANGE_UNSHARE, 0, 0, 0));
    return 0;
}

// VM only: the threads of a process have one table of descriptors.
static int shared_descriptors(void)
{
    static volatile uint32_t other;
    start_thread((uint64_t)wait_for_ever, 0, (uint64_t)stacks[1], &other);
    print_line("refused", call6(CALL_CLOSE_RANGE, 0, ~0UL, CLOSE_RANGE_UNSHARE, 0, 0, 0));
    print_line("invalid", call6(CALL_CLOSE_RANGE, 0, ~0UL, 8, 0, 0, 0));
    return 0;
}

// Each process has timers of its own, however many processes there are.
static int process_timers(void)
{
    const uint64_t late[4] = { 0, 0, 1000, 0 };
    int64_t children[14];
    int32_t ends[2];
    int32_t silent[2];
    uint8_t byte = 0;
    call6(CALL_PIPE2, (uint64_t)ends, 0, 0, 0, 0, 0);
    call6(CALL_PIPE2, (uint64_t)silent, 0, 0, 0, 0, 0);
    for (int i = 0; i < 14; i++) {
        children[i] = fork_process();
        if (children[i] == 0) {
            for (uint64_t which = 0; which < 3; which++) {
                byte |= call6(CALL_SETITIMER, which, (uint64_t)late, 0, 0, 0, 0) != 0;
            }
            call6(CALL_WRITE, (uint64_t)ends[1], (uint64_t)&byte, 1, 0, 0, 0);
            call6(CALL_READ, (uint64_t)silent[0], (uint64_t)&byte, 1, 0, 0, 0);
        }
        call6(CALL_READ, (uint64_t)ends[0], (uint64_t)&byte, 1, 0, 0, 0);
        print_line("failed", byte);
    }
    uint64_t rest[4] = { 0 };
    print_line("alarm", call6(CALL_ALARM, 100, 0, 0, 0, 0, 0));
    print_line("get", call6(CALL_GETITIMER, 0, (uint64_t)rest, 0, 0, 0, 0));
    print_line("left", rest[2] >= 40 && rest[2] < 100);
    print_line("alarm", call6(CALL_ALARM, 0, 0, 0, 0, 0, 0) >= 40);
    struct {
        uint64_t value;
        int32_t signal, notification, thread, padding[11];
    } event = { 0, 10, 4, (int32_t)children[0], { 0 } };
    uint32_t timer;
    print_line("for another process", call6(CALL_TIMER_CREATE, 1, (uint64_t)&event, (uint64_t)&timer, 0, 0, 0));
    event.thread = (int32_t)call6(CALL_GETPID, 0, 0, 0, 0, 0, 0);
    print_line("for a thread", call6(CALL_TIMER_CREATE, 1, (uint64_t)&event, (uint64_t)&timer, 0, 0, 0));
    for (int i = 0; i < 14; i++) {
        call6(CALL_KILL, (uint64_t)children[i], 9, 0, 0, 0, 0);
        wait_for(children[i], NULL, 0);
    }
    // A process that ends leaves nothing to those after it.
    int64_t child = fork_process();
    if (child == 0) {
        print_line("none", call6(CALL_ALARM, 0, 0, 0, 0, 0, 0));
        exit_program(0);
    }
    print_status("child", child);
    return 0;
}

static int groups(void)
{
    int64_t self = call6(CALL_GETPID, 0, 0, 0, 0, 0, 0);
    int32_t ends[2];
    uint8_t byte = 0;
    call6(CALL_PIPE2, (uint64_t)ends, 0, 0, 0, 0, 0);
    int64_t child = fork_process();
    if (child == 0) {
        print_line("group", call6(CALL_SETPGID, 0, 0, 0, 0, 0, 0));
        print_line("leads", call6(CALL_GETPGRP, 0, 0, 0, 0, 0, 0) == call6(CALL_GETPID, 0, 0, 0, 0, 0, 0));
        print_line("session", call6(CALL_SETSID, 0, 0, 0, 0, 0, 0));
        call6(CALL_WRITE, (uint64_t)ends[1], (uint64_t)&byte, 1, 0, 0, 0);
        for (;;) {
            pause_briefly();
        }
    }
    call6(CALL_READ, (uint64_t)ends[0], (uint64_t)&byte, 1, 0, 0, 0);
    print_line("group of the child", wait_for(-child, NULL, WNOHANG));
    print_line("own group", wait_for(0, NULL, WNOHANG));
    print_line("kill", call6(CALL_KILL, (uint64_t)-child, 9, 0, 0, 0, 0));
    print_status("killed", child);
    print_line("no group", call6(CALL_KILL, (uint64_t)-child, 9, 0, 0, 0, 0));
    print_line("self", self == call6(CALL_GETPID, 0, 0, 0, 0, 0, 0));
    return 0;
}

// VM only: as many processes as there can be.
static int exhaust_processes(void)
{
    int64_t child;
    int count = 0;
    while ((child = fork_process()) > 0) {
        count++;
    }
    if (child == 0) {
        for (;;) {
            pause_briefly();
        }
    }
    print_line("refused", child);
    print_line("processes", count);
    call6(CALL_KILL, (uint64_t)-1, 9, 0, 0, 0, 0);
    int ended = 0;
    while (wait_for(-1, NULL, 0) > 0) {
        ended++;
    }
    print_line("ended", ended);
    child = fork_process();
    if (child == 0) {
        exit_program(1);
    }
    print_status("again", child);
    return 0;
}

// Processes that create processes.
static int fork_bomb(void)
{
    for (int i = 0; i < 200; i++) {
        fork_process();
    }
    return 0;
}

static uint8_t wait_stack[16384] __attribute__((aligned(16)));
static int64_t thread_result;

static void look_in_thread(uint64_t process)
{
    uint32_t status;
    thread_result = wait_for((int64_t)process, &status, WNOHANG | WNOTHREAD);
}

// A child in a new process, whose end is told by a signal, until a pipe is closed.
static int64_t start_waiting(uint64_t signal, int32_t ends[2])
{
    uint8_t byte;
    call6(CALL_PIPE2, (uint64_t)ends, 0, 0, 0, 0, 0);
    int64_t child = call6(CALL_CLONE, signal, 0, 0, 0, 0, 0);
    if (child == 0) {
        call6(CALL_CLOSE, (uint64_t)ends[1], 0, 0, 0, 0, 0);
        call6(0, (uint64_t)ends[0], (uint64_t)&byte, 1, 0, 0, 0);
        exit_program(3);
    }
    return child;
}

// Children of this thread, of any; those whose end is told by SIGCHLD, and others.
static int wait_options(void)
{
    static const uint64_t options[] = { 0, WNOTHREAD, WCLONE, WALL, WCLONE | WALL };
    volatile uint32_t identifier;
    for (uint64_t signal = 0; signal <= SIGCHLD; signal += SIGCHLD) {
        int32_t ends[2];
        uint32_t status = 0;
        int64_t child = start_waiting(signal, ends);
        for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
            print_line("option", wait_for(child, &status, WNOHANG | options[i]));
        }
        start_thread((uint64_t)look_in_thread, (uint64_t)child, (uint64_t)(wait_stack + sizeof wait_stack), &identifier);
        join_thread(&identifier);
        print_line("in a thread", thread_result);
        call6(CALL_CLOSE, (uint64_t)ends[1], 0, 0, 0, 0, 0);
        print_line("other", wait_for(child, &status, signal == 0 ? 0 : WCLONE));
        print_line("ended", wait_for(child, &status, WALL) == child);
        print_line("status", status);
    }
    return 0;
}

int process_commands(const char *name, const struct start *start)
{
    if (equal(name, "forks")) {
        return forks();
    }
    if (equal(name, "process-ends")) {
        return ends();
    }
    if (equal(name, "executes")) {
        return executes(start);
    }
    if (equal(name, "execute-in-thread")) {
        return execute_in_thread(start);
    }
    if (equal(name, "shared-memory")) {
        return shares();
    }
    if (equal(name, "unshared-descriptors")) {
        return unshared_descriptors();
    }
    if (equal(name, "shared-descriptors")) {
        return shared_descriptors();
    }
    if (equal(name, "process-timers")) {
        return process_timers();
    }
    if (equal(name, "wait-options")) {
        return wait_options();
    }
    if (equal(name, "groups")) {
        return groups();
    }
    if (equal(name, "exhaust-processes")) {
        return exhaust_processes();
    }
    if (equal(name, "fork-bomb")) {
        return fork_bomb();
    }
    return -1;
}
