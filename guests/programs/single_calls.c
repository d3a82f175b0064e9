// SPDX-License-Identifier: Apache-2.0
//
// The commands that test single system calls: their results, and their errors.

#include "calls.h"

#define USER 1000

void give_up_privileges(void)
{
    const uint32_t group = USER;
    if (call(CALL_GETEUID, 0, 0, 0, 0) == 0) {
        call(CALL_SETGROUPS, 1, at(&group), 0, 0);
        call(CALL_SETRESGID, USER, USER, USER, 0);
        call(CALL_SETRESUID, USER, USER, USER, 0);
    }
}

int single_calls(const char *name, const struct start *start)
{
    static const struct {
        const char *name;
        int (*function)(void);
    } commands[] = {
        { "path-errors", path_errors },
        { "descriptor-errors", descriptor_errors },
        { "identities", identities },
        { "scheduling", scheduling },
        { "clocks", clocks },
        { "timers", timers },
        { "file-times", file_times },
        { "extended-attributes", extended_attributes },
        { "memory-calls", memory_calls },
        { "memory-policy", memory_policy },
        { "directory-calls", directory_calls },
        { "owners", owners },
        { "permissions", permissions },
        { "vectored-transfers", vectored_transfers },
        { "copies", copies },
        { "process-attributes", process_attributes },
        { "signal-calls", signal_calls },
        { "waiting-calls", waiting_calls },
        { "socket-calls", socket_calls },
    };
    (void)start;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (equal(name, commands[i].name)) {
            return commands[i].function();
        }
    }
    return -1;
}
