// SPDX-License-Identifier: Apache-2.0
//
// The system calls of the process: identity, limits, its end.

#include "process.h"

#include "errors.h"
#include "files.h"
#include "pages.h"
#include "physical_pages.h"
#include "processes.h"
#include "processor.h"
#include "program.h"
#include "random.h"
#include "stack.h"
#include "system_calls.h"
#include "threads.h"
#include "user.h"

#include <string.h>

#define ARCH_SET_GS 0x1001
#define ARCH_SET_FS 0x1002
#define ARCH_GET_FS 0x1003
#define ARCH_GET_GS 0x1004

#define SYSINFO_SIZE 112
#define NAME_FIELD 65
#define RANDOM_FLAGS 7
#define GRND_RANDOM 2U
#define GRND_INSECURE 4U
#define RUSAGE_SIZE 144

#define PR_SET_NAME 15
#define PR_GET_NAME 16
#define PR_GET_DUMPABLE 3
#define PR_SET_DUMPABLE 4

int64_t system_call_exit_group(const uint64_t arguments[6])
{
    process_end(((uint32_t)arguments[0] & 0xFF) << 8);
    return 0;
}

#define RETURNS(name, value) \
    int64_t system_call_##name(const uint64_t arguments[6]) \
    { \
        (void)arguments; \
        return value; \
    }

RETURNS(getuid, USER_ID)
RETURNS(geteuid, USER_ID)
RETURNS(getgid, USER_ID)
RETURNS(getegid, USER_ID)
// The C library works without restartable sequences.
RETURNS(rseq, -ENOSYS)

int64_t system_call_uname(const uint64_t arguments[6])
{
    static char names[6][NAME_FIELD];
    strcpy(names[0], "Linux");
    strcpy(names[1], "hyperlight");
    strcpy(names[2], "6.1.0");
    strcpy(names[3], "#1 Hyperlight");
    strcpy(names[4], "x86_64");
    strcpy(names[5], "(none)");
    return copy_to_user(arguments[0], names, sizeof names) ? 0 : -EFAULT;
}

// struct sysinfo, by the offsets of its fields.
int64_t system_call_sysinfo(const uint64_t arguments[6])
{
    uint64_t words[SYSINFO_SIZE / 8] = { 0 };
    words[4] = pages_limit(); // totalram
    words[5] = pages_limit() - pages_used(); // freeram
    words[10] = threads_count(); // procs
    words[13] = PAGE_SIZE; // mem_unit
    return copy_to_user(arguments[0], words, sizeof words) ? 0 : -EFAULT;
}

int64_t system_call_arch_prctl(const uint64_t arguments[6])
{
    uint32_t base = arguments[0] == ARCH_SET_FS || arguments[0] == ARCH_GET_FS ? MSR_FS_BASE : MSR_GS_BASE;
    uint64_t value;
    switch (arguments[0]) {
    case ARCH_SET_FS:
    case ARCH_SET_GS:
        if (arguments[1] >= PROGRAM_END) {
            return -EPERM;
        }
        write_msr(base, arguments[1]);
        return 0;
    case ARCH_GET_FS:
    case ARCH_GET_GS:
        value = read_msr(base);
        return copy_to_user(arguments[1], &value, sizeof value) ? 0 : -EFAULT;
    default:
        return -EINVAL;
    }
}

int64_t system_call_getrandom(const uint64_t arguments[6])
{
    uint8_t bytes[256];
    uint64_t size = arguments[1] < INT32_MAX ? arguments[1] : INT32_MAX;
    bool has_two_sources = arguments[2] & GRND_RANDOM && arguments[2] & GRND_INSECURE;
    if (arguments[2] & ~(uint64_t)RANDOM_FLAGS || has_two_sources) {
        return -EINVAL;
    }
    for (uint64_t done = 0; done < size;) {
        uint64_t part = size - done < sizeof bytes ? size - done : sizeof bytes;
        random_bytes(bytes, part);
        if (!copy_to_user(arguments[0] + done, bytes, part)) {
            return done != 0 ? (int64_t)done : -EFAULT;
        }
        done += part;
    }
    return (int64_t)size;
}

int64_t system_call_prctl(const uint64_t arguments[6])
{
    char *name = current_thread->name;
    char text[THREAD_NAME_SIZE] = { 0 };
    int64_t error;
    switch ((uint32_t)arguments[0]) {
    case PR_SET_NAME:
        error = copy_string_from_user(text, arguments[1], sizeof text - 1);
        if (error == -EFAULT) {
            return error;
        }
        memcpy(name, text, sizeof text);
        return 0;
    case PR_GET_NAME:
        return copy_to_user(arguments[1], name, THREAD_NAME_SIZE) ? 0 : -EFAULT;
    case PR_GET_DUMPABLE:
        return !program.is_not_dumpable;
    case PR_SET_DUMPABLE:
        if (arguments[1] > 1) {
            return -EINVAL;
        }
        program.is_not_dumpable = arguments[1] == 0;
        return 0;
    default:
        return -EINVAL;
    }
}
