// SPDX-License-Identifier: Apache-2.0
//
// Waiting for the end of children.

#include "errors.h"
#include "process.h"
#include "processes.h"
#include "scheduler.h"
#include "system_calls.h"
#include "threads.h"
#include "user.h"

#define WNOHANG 1U
#define WUNTRACED 2U
#define WEXITED 4U
#define WCONTINUED 8U
#define WNOWAIT 0x1000000U
#define WNOTHREAD 0x20000000U
#define WALL 0x40000000U
#define WCLONE 0x80000000U
#define OPTIONS_FOR_THREADS (WNOTHREAD | WALL | WCLONE)

#define RUSAGE_SIZE 144
#define INFO_SIZE 128

enum { P_ALL = 0, P_PID = 1, P_PGID = 2 };
enum { CLD_EXITED = 1, CLD_KILLED = 2 };

// As wait4: a process, -1 for any, 0 for the group of the caller, or a group.
static bool has_number(const struct process *child, int32_t which)
{
    return which == -1 || (which > 0 && child->id == (uint32_t)which) ||
           (which == 0 && child->group == current_process->group) ||
           (which < -1 && child->group == (uint32_t)-which);
}

// Whether the options are for a child: of this thread, or of any; with an end that is told by SIGCHLD, or in another way.
static bool is_meant(const struct process *child, int32_t which, uint32_t options)
{
    bool is_clone = child->exit_signal != SIGCHLD;
    if (child->parent != current_process || (options & WNOTHREAD && child->parent_thread != current_thread)) {
        return false;
    }
    return has_number(child, which) && (options & WALL || is_clone == ((options & WCLONE) != 0));
}

// The child that has ended, or NULL with 0 or an error.
static struct process *wait_for_child(int32_t which, uint32_t options, int64_t *error)
{
    *error = 0;
    for (;;) {
        bool has_child = false;
        FOR_EACH_PROCESS (process) {
            if (is_meant(process, which, options)) {
                has_child = true;
                if (process->state == PROCESS_ENDED) {
                    return process;
                }
            }
        }
        if (!has_child || options & WNOHANG || *error != 0) {
            *error = has_child ? *error : -ECHILD;
            return NULL;
        }
        // A child that ends sends a signal, which may end the wait first: what is found counts.
        *error = scheduler_wait(current_process, NEVER);
    }
}

// What a process has used is not counted.
static bool copy_usage(uint64_t address)
{
    static const uint8_t usage[RUSAGE_SIZE];
    return address == 0 || copy_to_user(address, usage, sizeof usage);
}

int64_t system_call_wait4(const uint64_t arguments[6])
{
    uint32_t options = (uint32_t)arguments[2];
    int64_t error;
    if (options & ~(WNOHANG | WUNTRACED | WCONTINUED | OPTIONS_FOR_THREADS)) {
        return -EINVAL;
    }
    struct process *child = wait_for_child((int32_t)arguments[0], options, &error);
    if (child == NULL) {
        return error;
    }
    uint32_t id = child->id;
    uint32_t status = child->status;
    child->state = PROCESS_UNUSED;
    bool is_copied = (arguments[1] == 0 || copy_to_user(arguments[1], &status, sizeof status)) &&
                     copy_usage(arguments[3]);
    return is_copied ? (int64_t)id : -EFAULT;
}

static bool find_target(uint64_t type, uint64_t id, int32_t *which)
{
    switch ((uint32_t)type) {
    case P_ALL:
        *which = -1;
        return true;
    case P_PID:
        *which = (int32_t)id;
        return (int32_t)id > 0;
    case P_PGID:
        *which = -(int32_t)id;
        return (int32_t)id > 1 || id == 0;
    default:
        return false;
    }
}

int64_t system_call_waitid(const uint64_t arguments[6])
{
    uint32_t options = (uint32_t)arguments[3];
    int32_t which;
    int64_t error;
    uint32_t words[INFO_SIZE / 4] = { 0 };
    if (!(options & WEXITED) || options & ~(WNOHANG | WUNTRACED | WEXITED | WCONTINUED | WNOWAIT | OPTIONS_FOR_THREADS) ||
        !find_target(arguments[0], arguments[1], &which)) {
        return -EINVAL;
    }
    struct process *child = wait_for_child(which, options, &error);
    if (child == NULL && error != 0) {
        return error;
    }
    if (child != NULL) {
        bool is_killed = (child->status & 0x7F) != 0;
        words[0] = SIGCHLD;
        words[2] = is_killed ? CLD_KILLED : CLD_EXITED;
        words[4] = child->id;
        words[5] = USER_ID;
        words[6] = is_killed ? child->status & 0x7F : child->status >> 8;
        child->state = options & WNOWAIT ? PROCESS_ENDED : PROCESS_UNUSED;
    }
    bool is_copied = (arguments[2] == 0 || copy_to_user(arguments[2], words, sizeof words)) &&
                     (child == NULL || copy_usage(arguments[4]));
    return is_copied ? 0 : -EFAULT;
}
