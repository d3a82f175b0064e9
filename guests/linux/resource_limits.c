// SPDX-License-Identifier: Apache-2.0

#include "resource_limits.h"

#include "areas.h"
#include "errors.h"
#include "files.h"
#include "processes.h"
#include "signals.h"
#include "stack.h"
#include "system_calls.h"
#include "threads.h"
#include "user.h"

void resource_limits_start(struct resource_limit limits[RESOURCES])
{
    for (unsigned i = 0; i < RESOURCES; i++) {
        limits[i] = (struct resource_limit){ UNLIMITED, UNLIMITED };
    }
    limits[RLIMIT_STACK] = (struct resource_limit){ STACK_SIZE, STACK_SIZE };
    // As on Linux, of threads.
    limits[RLIMIT_NPROC] = (struct resource_limit){ threads_limit(), threads_limit() };
    limits[RLIMIT_NOFILE] = (struct resource_limit){ MOST_DESCRIPTORS, MOST_DESCRIPTORS };
    limits[RLIMIT_CORE] = (struct resource_limit){ 0, 0 };
    limits[RLIMIT_NICE] = (struct resource_limit){ 0, 0 };
    limits[RLIMIT_RTPRIO] = (struct resource_limit){ 0, 0 };
}

uint64_t resource_limit(enum resource resource)
{
    return current_process->limits[resource].soft;
}

bool resource_allows_memory(uint64_t size, uint64_t freed)
{
    uint64_t limit = resource_limit(RLIMIT_AS);
    if (limit == UNLIMITED) {
        return true;
    }
    uint64_t kept = areas_size(0, UINT64_MAX) - freed;
    return kept <= limit && size <= limit - kept;
}

bool resource_allows_file_size(uint64_t size)
{
    if (size <= resource_limit(RLIMIT_FSIZE)) {
        return true;
    }
    (void)signal_send(current_thread, &(struct signal_info){ .signal = SIGXFSZ, .code = SI_USER });
    return false;
}

static int64_t set(struct process *process, uint64_t resource, const struct resource_limit *limit)
{
    struct resource_limit *current = &process->limits[resource];
    if (limit->soft > limit->hard) {
        return -EINVAL;
    }
    if (limit->hard > current->hard) {
        return -EPERM;
    }
    *current = *limit;
    return 0;
}

// Either address can be 0.
static int64_t exchange(struct process *process, uint64_t resource, uint64_t new_address, uint64_t old_address)
{
    struct resource_limit limit;
    if ((uint32_t)resource >= RESOURCES) {
        return -EINVAL;
    }
    resource = (uint32_t)resource;
    if (new_address != 0 && !copy_from_user(&limit, new_address, sizeof limit)) {
        return -EFAULT;
    }
    struct resource_limit previous = process->limits[resource];
    int64_t error = new_address != 0 ? set(process, resource, &limit) : 0;
    if (error != 0 || old_address == 0) {
        return error;
    }
    return copy_to_user(old_address, &previous, sizeof previous) ? 0 : -EFAULT;
}

int64_t system_call_getrlimit(const uint64_t arguments[6])
{
    if ((uint32_t)arguments[0] >= RESOURCES) {
        return -EINVAL;
    }
    const struct resource_limit *limit = &current_process->limits[(uint32_t)arguments[0]];
    return copy_to_user(arguments[1], limit, sizeof *limit) ? 0 : -EFAULT;
}

int64_t system_call_setrlimit(const uint64_t arguments[6])
{
    struct resource_limit limit;
    if (!copy_from_user(&limit, arguments[1], sizeof limit)) {
        return -EFAULT;
    }
    return (uint32_t)arguments[0] < RESOURCES ? set(current_process, (uint32_t)arguments[0], &limit) : -EINVAL;
}

int64_t system_call_prlimit64(const uint64_t arguments[6])
{
    struct process *process = (uint32_t)arguments[0] == 0 ? current_process : process_find_of_thread((uint32_t)arguments[0]);
    return process != NULL ? exchange(process, arguments[1], arguments[2], arguments[3]) : -ESRCH;
}
