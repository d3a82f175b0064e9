// SPDX-License-Identifier: Apache-2.0
//
// The system calls of scheduling: one processor, and one policy.

#include "errors.h"
#include "process.h"
#include "processes.h"
#include "program.h"
#include "scheduler.h"
#include "system_calls.h"
#include "threads.h"
#include "user.h"

#define PROCESSORS_SIZE 8
#define MOST_PRIORITY 99
#define NANOSECONDS_IN_SLICE 5000000L
// Nice values are from -20 to 19.
#define NICE_VALUES 20

enum { PRIO_PROCESS = 0, PRIO_GROUP = 1, PRIO_USER = 2 };

enum { SCHED_OTHER = 0, SCHED_FIFO = 1, SCHED_RR = 2, SCHED_BATCH = 3, SCHED_IDLE = 5,
       SCHED_DEADLINE = 6 };

#define SCHED_RESET_ON_FORK 0x40000000

enum { MEMBARRIER_CMD_QUERY = 0, MEMBARRIER_CMD_GLOBAL = 1, MEMBARRIER_CMD_GLOBAL_EXPEDITED = 2,
       MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED = 4, MEMBARRIER_CMD_PRIVATE_EXPEDITED = 8,
       MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED = 16 };

static bool exists(uint64_t thread)
{
    return (int32_t)thread == 0 || thread_find((uint32_t)thread) != NULL;
}

// The answer for a thread: -EINVAL and -ESRCH as of Linux.
static int64_t check_thread(uint64_t thread)
{
    return (int32_t)thread < 0 ? -EINVAL : exists(thread) ? 0 : -ESRCH;
}

int64_t system_call_sched_yield(const uint64_t arguments[6])
{
    (void)arguments;
    scheduler_yield();
    return 0;
}

int64_t system_call_sched_getaffinity(const uint64_t arguments[6])
{
    const uint64_t processors = 1;
    if (arguments[1] < PROCESSORS_SIZE || arguments[1] % PROCESSORS_SIZE != 0) {
        return -EINVAL;
    }
    if (!exists(arguments[0])) {
        return -ESRCH;
    }
    return copy_to_user(arguments[2], &processors, sizeof processors) ? PROCESSORS_SIZE : -EFAULT;
}

int64_t system_call_sched_setaffinity(const uint64_t arguments[6])
{
    uint8_t first = 0;
    if (arguments[1] != 0 && !copy_from_user(&first, arguments[2], 1)) {
        return -EFAULT;
    }
    if (!exists(arguments[0])) {
        return -ESRCH;
    }
    return first & 1 ? 0 : -EINVAL;
}

int64_t system_call_sched_getparam(const uint64_t arguments[6])
{
    const uint32_t priority = 0;
    int64_t error = arguments[1] == 0 ? -EINVAL : check_thread(arguments[0]);
    return error != 0 ? error : copy_to_user(arguments[1], &priority, sizeof priority) ? 0 : -EFAULT;
}

int64_t system_call_sched_getscheduler(const uint64_t arguments[6])
{
    int64_t error = check_thread(arguments[0]);
    return error != 0 ? error : SCHED_OTHER;
}

// Policies for real time are for privileged programs.
static int64_t set_policy(uint64_t thread, int32_t policy, uint64_t address)
{
    uint32_t priority;
    int64_t error = address == 0 || policy < 0 ? -EINVAL : check_thread(thread);
    if (error != 0) {
        return error;
    }
    if (!copy_from_user(&priority, address, sizeof priority)) {
        return -EFAULT;
    }
    policy &= ~SCHED_RESET_ON_FORK;
    bool is_real_time = policy == SCHED_FIFO || policy == SCHED_RR;
    if (is_real_time) {
        return priority == 0 || priority > MOST_PRIORITY ? -EINVAL : -EPERM;
    }
    return priority == 0 && (policy == SCHED_OTHER || policy == SCHED_BATCH || policy == SCHED_IDLE) ? 0 : -EINVAL;
}

int64_t system_call_sched_setparam(const uint64_t arguments[6])
{
    return set_policy(arguments[0], SCHED_OTHER, arguments[1]);
}

int64_t system_call_sched_setscheduler(const uint64_t arguments[6])
{
    return set_policy(arguments[0], (int32_t)arguments[1], arguments[2]);
}

static int64_t priority_of(uint64_t policy, int64_t of_real_time)
{
    switch ((uint32_t)policy) {
    case SCHED_FIFO:
    case SCHED_RR:
        return of_real_time;
    case SCHED_OTHER:
    case SCHED_BATCH:
    case SCHED_IDLE:
    case SCHED_DEADLINE:
        return 0;
    default:
        return -EINVAL;
    }
}

int64_t system_call_sched_get_priority_max(const uint64_t arguments[6])
{
    return priority_of(arguments[0], MOST_PRIORITY);
}

int64_t system_call_sched_get_priority_min(const uint64_t arguments[6])
{
    return priority_of(arguments[0], 1);
}

int64_t system_call_sched_rr_get_interval(const uint64_t arguments[6])
{
    const int64_t time[2] = { 0, NANOSECONDS_IN_SLICE };
    int64_t error = check_thread(arguments[0]);
    return error != 0 ? error : copy_to_user(arguments[1], time, sizeof time) ? 0 : -EFAULT;
}

// All processes are of one user. 0 is the caller, or its group, or its user. Threads have
// the priority of their process.
static bool is_meant(const struct process *process, uint32_t kind, uint32_t id)
{
    switch (kind) {
    case PRIO_PROCESS:
        return process == (id != 0 ? process_find_of_thread(id) : current_process);
    case PRIO_GROUP:
        return process->group == (id != 0 ? id : current_process->group);
    default:
        return id == 0 || id == USER_ID;
    }
}

// The highest priority of them: 20 is the nice value 0.
int64_t system_call_getpriority(const uint64_t arguments[6])
{
    int64_t result = -ESRCH;
    if ((uint32_t)arguments[0] > PRIO_USER) {
        return -EINVAL;
    }
    FOR_EACH_PROCESS (process) {
        if (is_meant(process, (uint32_t)arguments[0], (uint32_t)arguments[1])) {
            int64_t priority = NICE_VALUES - process->nice;
            result = priority > result ? priority : result;
        }
    }
    return result;
}

// A program may lower its priority, and cannot raise it again.
int64_t system_call_setpriority(const uint64_t arguments[6])
{
    int32_t nice = (int32_t)arguments[2];
    int64_t result = -ESRCH;
    if ((uint32_t)arguments[0] > PRIO_USER) {
        return -EINVAL;
    }
    nice = nice < -NICE_VALUES ? -NICE_VALUES : nice >= NICE_VALUES ? NICE_VALUES - 1 : nice;
    FOR_EACH_PROCESS (process) {
        if (!is_meant(process, (uint32_t)arguments[0], (uint32_t)arguments[1])) {
            continue;
        }
        if (nice < process->nice) {
            result = -EACCES;
        } else {
            process->nice = nice;
            result = result == -ESRCH ? 0 : result;
        }
    }
    return result;
}

int64_t system_call_getcpu(const uint64_t arguments[6])
{
    const uint32_t zero = 0;
    bool is_copied = (arguments[0] == 0 || copy_to_user(arguments[0], &zero, sizeof zero)) &&
                     (arguments[1] == 0 || copy_to_user(arguments[1], &zero, sizeof zero));
    return is_copied ? 0 : -EFAULT;
}

// With one processor, each system call is a barrier for all threads.
int64_t system_call_membarrier(const uint64_t arguments[6])
{
    const int64_t commands = MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED |
                             MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED | MEMBARRIER_CMD_PRIVATE_EXPEDITED |
                             MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED;
    if (arguments[1] != 0) {
        return -EINVAL;
    }
    switch ((int32_t)arguments[0]) {
    case MEMBARRIER_CMD_QUERY:
        return commands;
    case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED:
        program.uses_barriers = true;
        return 0;
    case MEMBARRIER_CMD_PRIVATE_EXPEDITED:
        return program.uses_barriers ? 0 : -EPERM;
    case MEMBARRIER_CMD_GLOBAL:
    case MEMBARRIER_CMD_GLOBAL_EXPEDITED:
    case MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED:
        return 0;
    default:
        return -EINVAL;
    }
}
