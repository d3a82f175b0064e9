// SPDX-License-Identifier: Apache-2.0
//
// The system calls of users, groups and capabilities: a program has one user, one
// group and no capabilities.

#include "errors.h"
#include "process.h"
#include "processes.h"
#include "system_calls.h"
#include "user.h"

#define KEEP UINT32_MAX
#define CAPABILITY_VERSION_1 0x19980330U
#define CAPABILITY_VERSION_2 0x20071026U
#define CAPABILITY_VERSION_3 0x20080522U

int64_t system_call_getgroups(const uint64_t arguments[6])
{
    const uint32_t group = USER_ID;
    if ((int32_t)arguments[0] == 0) {
        return 1;
    }
    if ((int32_t)arguments[0] < 0) {
        return -EINVAL;
    }
    return copy_to_user(arguments[1], &group, sizeof group) ? 1 : -EFAULT;
}

int64_t system_call_setgroups(const uint64_t arguments[6])
{
    (void)arguments;
    return -EPERM;
}

static int64_t get_three(const uint64_t arguments[6])
{
    const uint32_t id = USER_ID;
    for (int i = 0; i < 3; i++) {
        if (!copy_to_user(arguments[i], &id, sizeof id)) {
            return -EFAULT;
        }
    }
    return 0;
}

int64_t system_call_getresuid(const uint64_t arguments[6])
{
    return get_three(arguments);
}

int64_t system_call_getresgid(const uint64_t arguments[6])
{
    return get_three(arguments);
}

// To what it has; with `can_keep` also to -1.
static int64_t set(const uint64_t arguments[6], unsigned count, bool can_keep)
{
    for (unsigned i = 0; i < count; i++) {
        uint32_t id = (uint32_t)arguments[i];
        if (id == KEEP && !can_keep) {
            return -EINVAL;
        }
        if (id != KEEP && id != USER_ID) {
            return -EPERM;
        }
    }
    return 0;
}

int64_t system_call_setuid(const uint64_t arguments[6])
{
    return set(arguments, 1, false);
}

int64_t system_call_setgid(const uint64_t arguments[6])
{
    return set(arguments, 1, false);
}

int64_t system_call_setreuid(const uint64_t arguments[6])
{
    return set(arguments, 2, true);
}

int64_t system_call_setregid(const uint64_t arguments[6])
{
    return set(arguments, 2, true);
}

int64_t system_call_setresuid(const uint64_t arguments[6])
{
    return set(arguments, 3, true);
}

int64_t system_call_setresgid(const uint64_t arguments[6])
{
    return set(arguments, 3, true);
}

int64_t system_call_capget(const uint64_t arguments[6])
{
    static const uint32_t none[6];
    uint32_t header[2];
    if (!copy_from_user(header, arguments[0], sizeof header)) {
        return -EFAULT;
    }
    if (header[0] != CAPABILITY_VERSION_1 && header[0] != CAPABILITY_VERSION_2 && header[0] != CAPABILITY_VERSION_3) {
        header[0] = CAPABILITY_VERSION_3;
        bool is_copied = copy_to_user(arguments[0], header, sizeof header[0]);
        return !is_copied ? -EFAULT : arguments[1] == 0 ? 0 : -EINVAL;
    }
    if (arguments[1] == 0) {
        return 0;
    }
    if (header[1] != 0 && header[1] != current_process->id) {
        return (int32_t)header[1] < 0 ? -EINVAL : -ESRCH;
    }
    size_t size = header[0] == CAPABILITY_VERSION_1 ? sizeof none / 2 : sizeof none;
    return copy_to_user(arguments[1], none, size) ? 0 : -EFAULT;
}
