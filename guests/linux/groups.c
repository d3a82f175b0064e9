// SPDX-License-Identifier: Apache-2.0
//
// The ids of processes, groups and sessions.

#include "errors.h"
#include "process.h"
#include "processes.h"
#include "system_calls.h"

int64_t system_call_getpid(const uint64_t arguments[6])
{
    (void)arguments;
    return current_process->id;
}

int64_t system_call_getppid(const uint64_t arguments[6])
{
    (void)arguments;
    return process_parent(current_process);
}

static struct process *find(uint64_t id)
{
    return (uint32_t)id == 0 ? current_process : process_find((uint32_t)id);
}

int64_t system_call_getpgid(const uint64_t arguments[6])
{
    const struct process *process = find(arguments[0]);
    return process != NULL ? (int64_t)process->group : -ESRCH;
}

int64_t system_call_getpgrp(const uint64_t arguments[6])
{
    (void)arguments;
    return current_process->group;
}

int64_t system_call_getsid(const uint64_t arguments[6])
{
    const struct process *process = find(arguments[0]);
    return process != NULL ? (int64_t)process->session : -ESRCH;
}

static bool has_group(uint32_t group, uint32_t session)
{
    FOR_EACH_PROCESS (process) {
        if (process->group == group && process->session == session) {
            return true;
        }
    }
    return false;
}

int64_t system_call_setpgid(const uint64_t arguments[6])
{
    struct process *process = find(arguments[0]);
    uint32_t group = (uint32_t)arguments[1];
    if ((int32_t)group < 0) {
        return -EINVAL;
    }
    if (process == NULL || (process != current_process && process->parent != current_process)) {
        return -ESRCH;
    }
    group = group == 0 ? process->id : group;
    if (process->session != current_process->session || process->session == process->id) {
        return -EPERM;
    }
    if (process != current_process && process->has_executed) {
        return -EACCES;
    }
    if (group != process->id && !has_group(group, current_process->session)) {
        return -EPERM;
    }
    process->group = group;
    return 0;
}

int64_t system_call_setsid(const uint64_t arguments[6])
{
    (void)arguments;
    FOR_EACH_PROCESS (process) {
        if (process->group == current_process->id) {
            return -EPERM;
        }
    }
    current_process->group = current_process->session = current_process->id;
    return current_process->id;
}
