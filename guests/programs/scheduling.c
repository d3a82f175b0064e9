// SPDX-License-Identifier: Apache-2.0
//
// Policies, priorities and processors. How many processors there are is not printed.

#include "calls.h"

enum { OTHER = 0, FIFO = 1, RR = 2, BATCH = 3, ISO = 4, IDLE = 5, DEADLINE = 6, NO_POLICY = 99 };
enum { PROCESS = 0, GROUP = 1, USER = 2 };

#define RESET_ON_FORK 0x40000000UL
#define RLIMIT_NICE 13
#define RLIMIT_RTPRIO 14

static int64_t set_policy(uint64_t process, uint64_t policy, uint32_t priority)
{
    return call(CALL_SCHED_SETSCHEDULER, process, policy, at(&priority), 0);
}

static void policies(void)
{
    const uint64_t none[2] = { 0, 0 };
    uint32_t priority = 77;
    call(CALL_SETRLIMIT, RLIMIT_RTPRIO, at(none), 0, 0);
    print_line("getscheduler", call(CALL_SCHED_GETSCHEDULER, 0, 0, 0, 0));
    print_line("negative", call(CALL_SCHED_GETSCHEDULER, (uint64_t)-1, 0, 0, 0));
    print_line("no process", call(CALL_SCHED_GETSCHEDULER, NO_PROCESS, 0, 0, 0));
    print_line("getparam", call(CALL_SCHED_GETPARAM, 0, at(&priority), 0, 0));
    print_line("priority", priority);
    print_line("no address", call(CALL_SCHED_GETPARAM, 0, 0, 0, 0));
    print_line("bad address", call(CALL_SCHED_GETPARAM, 0, BAD_ADDRESS, 0, 0));
    print_line("negative", call(CALL_SCHED_GETPARAM, (uint64_t)-1, at(&priority), 0, 0));
    print_line("no process", call(CALL_SCHED_GETPARAM, NO_PROCESS, at(&priority), 0, 0));
    print_line("setscheduler", set_policy(0, OTHER, 0));
    print_line("with a priority", set_policy(0, OTHER, 1));
    print_line("negative policy", set_policy(0, (uint64_t)-1, 0));
    print_line("no policy", set_policy(0, NO_POLICY, 0));
    print_line("removed policy", set_policy(0, ISO, 0));
    print_line("deadlines without times", set_policy(0, DEADLINE, 0));
    print_line("real time", set_policy(0, FIFO, 1));
    print_line("real time in turn", set_policy(0, RR, 99));
    print_line("real time without a priority", set_policy(0, FIFO, 0));
    print_line("too high", set_policy(0, RR, 100));
    print_line("negative process", set_policy((uint64_t)-1, OTHER, 0));
    print_line("no process", set_policy(NO_PROCESS, OTHER, 0));
    print_line("no address", call(CALL_SCHED_SETSCHEDULER, 0, OTHER, 0, 0));
    print_line("bad address", call(CALL_SCHED_SETSCHEDULER, 0, OTHER, BAD_ADDRESS, 0));
    priority = 0;
    print_line("setparam", call(CALL_SCHED_SETPARAM, 0, at(&priority), 0, 0));
    print_line("no address", call(CALL_SCHED_SETPARAM, 0, 0, 0, 0));
    print_line("bad address", call(CALL_SCHED_SETPARAM, 0, BAD_ADDRESS, 0, 0));
    print_line("negative", call(CALL_SCHED_SETPARAM, (uint64_t)-1, at(&priority), 0, 0));
    print_line("no process", call(CALL_SCHED_SETPARAM, NO_PROCESS, at(&priority), 0, 0));
    priority = 1;
    print_line("with a priority", call(CALL_SCHED_SETPARAM, 0, at(&priority), 0, 0));
    for (uint64_t policy = OTHER; policy <= DEADLINE; policy++) {
        print_line("highest", call(CALL_SCHED_GET_PRIORITY_MAX, policy, 0, 0, 0));
        print_line("lowest", call(CALL_SCHED_GET_PRIORITY_MIN, policy, 0, 0, 0));
    }
    print_line("highest of none", call(CALL_SCHED_GET_PRIORITY_MAX, NO_POLICY, 0, 0, 0));
    print_line("lowest of none", call(CALL_SCHED_GET_PRIORITY_MIN, (uint64_t)-1, 0, 0, 0));
    int64_t time[2] = { -1, -1 };
    print_line("interval", call(CALL_SCHED_RR_GET_INTERVAL, 0, at(time), 0, 0));
    print_line("less than a second", time[0] == 0 && time[1] >= 0);
    print_line("negative", call(CALL_SCHED_RR_GET_INTERVAL, (uint64_t)-1, at(time), 0, 0));
    print_line("no process", call(CALL_SCHED_RR_GET_INTERVAL, NO_PROCESS, at(time), 0, 0));
    print_line("bad address", call(CALL_SCHED_RR_GET_INTERVAL, 0, BAD_ADDRESS, 0, 0));
    print_line("yield", call(CALL_SCHED_YIELD, 0, 0, 0, 0));
    print_line("batch", set_policy(0, BATCH, 0));
    print_line("batch with a priority", set_policy(0, BATCH, 1));
    print_line("back", set_policy(0, OTHER, 0));
    print_line("idle", set_policy(0, IDLE, 0));
    print_line("reset by fork", set_policy(0, IDLE | RESET_ON_FORK, 0));
}

static void processors(void)
{
    static uint64_t set[128], nothing[128];
    uint32_t processor = 1U << 20, node = 1U << 20;
    int64_t size = call(CALL_SCHED_GETAFFINITY, 0, sizeof set, at(set), 0);
    print_line("affinity", size > 0 && size % 8 == 0);
    print_line("no size", call(CALL_SCHED_GETAFFINITY, 0, 0, at(set), 0));
    print_line("odd size", call(CALL_SCHED_GETAFFINITY, 0, sizeof set - 1, at(set), 0));
    print_line("bad address", call(CALL_SCHED_GETAFFINITY, 0, sizeof set, BAD_ADDRESS, 0));
    print_line("no process", call(CALL_SCHED_GETAFFINITY, NO_PROCESS, sizeof set, at(set), 0));
    print_line("negative", call(CALL_SCHED_GETAFFINITY, (uint64_t)-1, sizeof set, at(set), 0));
    print_line("set", call(CALL_SCHED_SETAFFINITY, 0, (uint64_t)size, at(set), 0));
    print_line("set to none", call(CALL_SCHED_SETAFFINITY, 0, sizeof nothing, at(nothing), 0));
    print_line("no size", call(CALL_SCHED_SETAFFINITY, 0, 0, at(set), 0));
    print_line("bad address", call(CALL_SCHED_SETAFFINITY, 0, sizeof set, BAD_ADDRESS, 0));
    print_line("no process", call(CALL_SCHED_SETAFFINITY, NO_PROCESS, sizeof set, at(set), 0));
    print_line("getcpu", call(CALL_GETCPU, at(&processor), at(&node), 0, 0));
    print_line("numbers", processor < 8192 && node < 8192);
    print_line("not asked", call(CALL_GETCPU, 0, 0, 0, 0));
    print_line("bad address", call(CALL_GETCPU, BAD_ADDRESS, 0, 0, 0));
    print_line("bad address", call(CALL_GETCPU, 0, BAD_ADDRESS, 0, 0));
}

// In a group of its own: the others of the group are not of the test.
static void priorities(void)
{
    const uint64_t none[2] = { 0, 0 };
    int64_t before = call(CALL_GETPRIORITY, PROCESS, 0, 0, 0);
    call(CALL_SETRLIMIT, RLIMIT_NICE, at(none), 0, 0);
    call(CALL_SETPGID, 0, 0, 0, 0);
    print_line("no kind", call(CALL_GETPRIORITY, (uint64_t)-1, 0, 0, 0));
    print_line("of the group", call(CALL_GETPRIORITY, GROUP, 0, 0, 0) - before);
    print_line("no group", call(CALL_GETPRIORITY, GROUP, NO_PROCESS, 0, 0));
    print_line("no user", call(CALL_GETPRIORITY, USER, NO_PROCESS, 0, 0));
    print_line("set for the group", call(CALL_SETPRIORITY, GROUP, 0, (uint64_t)(22 - before), 0));
    print_line("lower", before - call(CALL_GETPRIORITY, PROCESS, 0, 0, 0));
    print_line("not higher", call(CALL_SETPRIORITY, GROUP, 0, (uint64_t)(20 - before), 0));
    print_line("not higher", call(CALL_SETPRIORITY, PROCESS, 0, (uint64_t)-20, 0));
    print_line("set for no group", call(CALL_SETPRIORITY, GROUP, NO_PROCESS, 19, 0));
    print_line("set for no user", call(CALL_SETPRIORITY, USER, NO_PROCESS, 19, 0));
    exit_program(0);
}

enum { QUERY = 0, PRIVATE = 8, REGISTER_PRIVATE = 16 };

static int64_t barrier(uint64_t command, uint64_t flags)
{
    return call(CALL_MEMBARRIER, command, flags, 0, 0);
}

// Who may use them is a matter of each program.
static void barriers(void)
{
    print_line("query", (barrier(QUERY, 0) & PRIVATE) != 0);
    print_line("flags", barrier(QUERY, 1));
    print_line("no command", barrier(1 << 20, 0));
    print_line("two commands", barrier(PRIVATE | REGISTER_PRIVATE, 0));
    print_line("not registered", barrier(PRIVATE, 0));
    int64_t child = call(CALL_FORK, 0, 0, 0, 0);
    if (child == 0) {
        print_line("register", barrier(REGISTER_PRIVATE, 0));
        print_line("barrier", barrier(PRIVATE, 0));
        exit_program(0);
    }
    call(CALL_WAIT4, (uint64_t)child, 0, 0, 0);
    print_line("still not registered", barrier(PRIVATE, 0));
}

int scheduling(void)
{
    give_up_privileges();
    int64_t child = call(CALL_FORK, 0, 0, 0, 0);
    if (child == 0) {
        priorities();
    }
    call(CALL_WAIT4, (uint64_t)child, 0, 0, 0);
    processors();
    barriers();
    policies();
    return 0;
}
