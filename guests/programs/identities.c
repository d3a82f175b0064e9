// SPDX-License-Identifier: Apache-2.0
//
// Users, groups, capabilities, and the ids of processes. Who runs the program is not printed.

#include "calls.h"

#define KEEP UINT32_MAX
#define ROOT 0

static void users(void)
{
    uint64_t user = (uint64_t)call(CALL_GETUID, 0, 0, 0, 0);
    uint32_t ids[3] = { 0 };
    print_line("not root", user != 0);
    print_line("effective", call(CALL_GETEUID, 0, 0, 0, 0) == (int64_t)user);
    print_line("getresuid", call(CALL_GETRESUID, at(&ids[0]), at(&ids[1]), at(&ids[2]), 0));
    print_line("the same", ids[0] == user && ids[1] == user && ids[2] == user);
    print_line("bad address", call(CALL_GETRESUID, BAD_ADDRESS, at(&ids[1]), at(&ids[2]), 0));
    print_line("bad address", call(CALL_GETRESUID, at(&ids[0]), BAD_ADDRESS, at(&ids[2]), 0));
    print_line("bad address", call(CALL_GETRESUID, at(&ids[0]), at(&ids[1]), BAD_ADDRESS, 0));
    print_line("setuid", call(CALL_SETUID, user, 0, 0, 0));
    print_line("setuid to root", call(CALL_SETUID, ROOT, 0, 0, 0));
    print_line("setuid to none", call(CALL_SETUID, KEEP, 0, 0, 0));
    print_line("setreuid", call(CALL_SETREUID, user, user, 0, 0));
    print_line("setreuid to none", call(CALL_SETREUID, KEEP, KEEP, 0, 0));
    print_line("setreuid to root", call(CALL_SETREUID, ROOT, KEEP, 0, 0));
    print_line("setreuid to root", call(CALL_SETREUID, KEEP, ROOT, 0, 0));
    print_line("setresuid", call(CALL_SETRESUID, user, user, user, 0));
    print_line("setresuid to none", call(CALL_SETRESUID, KEEP, KEEP, KEEP, 0));
    print_line("setresuid to root", call(CALL_SETRESUID, ROOT, KEEP, KEEP, 0));
    print_line("setresuid to root", call(CALL_SETRESUID, KEEP, ROOT, KEEP, 0));
    print_line("setresuid to root", call(CALL_SETRESUID, KEEP, KEEP, ROOT, 0));
    print_line("still the same", call(CALL_GETUID, 0, 0, 0, 0) == (int64_t)user);
}

static void groups(void)
{
    uint32_t *list = new_memory(65536 * sizeof *list);
    uint64_t group = (uint64_t)call(CALL_GETGID, 0, 0, 0, 0);
    uint32_t ids[3] = { 0 };
    print_line("not of root", group != 0);
    print_line("effective", call(CALL_GETEGID, 0, 0, 0, 0) == (int64_t)group);
    print_line("getresgid", call(CALL_GETRESGID, at(&ids[0]), at(&ids[1]), at(&ids[2]), 0));
    print_line("the same", ids[0] == group && ids[1] == group && ids[2] == group);
    print_line("bad address", call(CALL_GETRESGID, at(&ids[0]), at(&ids[1]), BAD_ADDRESS, 0));
    print_line("setgid", call(CALL_SETGID, group, 0, 0, 0));
    print_line("setgid to root", call(CALL_SETGID, ROOT, 0, 0, 0));
    print_line("setgid to none", call(CALL_SETGID, KEEP, 0, 0, 0));
    print_line("setregid", call(CALL_SETREGID, group, group, 0, 0));
    print_line("setregid to none", call(CALL_SETREGID, KEEP, KEEP, 0, 0));
    print_line("setregid to root", call(CALL_SETREGID, ROOT, KEEP, 0, 0));
    print_line("setregid to root", call(CALL_SETREGID, KEEP, ROOT, 0, 0));
    print_line("setresgid", call(CALL_SETRESGID, group, group, group, 0));
    print_line("setresgid to none", call(CALL_SETRESGID, KEEP, KEEP, KEEP, 0));
    print_line("setresgid to root", call(CALL_SETRESGID, ROOT, KEEP, KEEP, 0));
    print_line("setresgid to root", call(CALL_SETRESGID, KEEP, KEEP, ROOT, 0));
    int64_t count = call(CALL_GETGROUPS, 0, 0, 0, 0);
    print_line("groups", count >= 0);
    print_line("the same number", call(CALL_GETGROUPS, 65536, at(list), 0, 0) == count);
    print_line("negative", call(CALL_GETGROUPS, (uint64_t)-1, at(list), 0, 0));
    print_line("bad address", call(CALL_GETGROUPS, 65536, BAD_ADDRESS, 0, 0) == (count != 0 ? -14 : 0));
    print_line("setgroups", call(CALL_SETGROUPS, 1, at(list), 0, 0));
    print_line("setgroups to none", call(CALL_SETGROUPS, 0, 0, 0, 0));
}

static void capabilities(void)
{
    enum { VERSION_1 = 0x19980330, VERSION_3 = 0x20080522 };
    uint32_t header[2] = { VERSION_3, 0 };
    uint32_t sets[6] = { 1, 1, 1, 1, 1, 1 };
    print_line("capget", call(CALL_CAPGET, at(header), at(sets), 0, 0));
    print_line("effective", sets[0] | sets[3]);
    print_line("permitted", sets[1] | sets[4]);
    print_line("bad address", call(CALL_CAPGET, BAD_ADDRESS, at(sets), 0, 0));
    print_line("bad address of the sets", call(CALL_CAPGET, at(header), BAD_ADDRESS, 0, 0));
    print_line("no sets", call(CALL_CAPGET, at(header), 0, 0, 0));
    header[1] = NO_PROCESS;
    print_line("no process", call(CALL_CAPGET, at(header), at(sets), 0, 0));
    print_line("no process and no sets", call(CALL_CAPGET, at(header), 0, 0, 0));
    header[1] = (uint32_t)-1;
    print_line("negative", call(CALL_CAPGET, at(header), at(sets), 0, 0));
    header[0] = VERSION_1 + 1;
    header[1] = 0;
    print_line("no version", call(CALL_CAPGET, at(header), at(sets), 0, 0));
    print_line("version", header[0]);
    header[0] = 0;
    print_line("version only", call(CALL_CAPGET, at(header), 0, 0, 0));
    print_line("version", header[0]);
}

// The session of a process may be one that it cannot see: 0.
static void processes(void)
{
    int64_t process = call(CALL_GETPID, 0, 0, 0, 0);
    print_line("group", call(CALL_GETPGID, 0, 0, 0, 0) == call(CALL_GETPGRP, 0, 0, 0, 0));
    print_line("by the number", call(CALL_GETPGID, (uint64_t)process, 0, 0, 0) == call(CALL_GETPGRP, 0, 0, 0, 0));
    print_line("no process", call(CALL_GETPGID, NO_PROCESS, 0, 0, 0));
    print_line("negative", call(CALL_GETPGID, (uint64_t)-1, 0, 0, 0));
    print_line("session", call(CALL_GETSID, 0, 0, 0, 0) == call(CALL_GETSID, (uint64_t)process, 0, 0, 0));
    print_line("no process", call(CALL_GETSID, NO_PROCESS, 0, 0, 0));
    print_line("negative", call(CALL_GETSID, (uint64_t)-1, 0, 0, 0));
    print_line("setpgid of no process", call(CALL_SETPGID, NO_PROCESS, 0, 0, 0));
    print_line("setpgid to a negative one", call(CALL_SETPGID, 0, (uint64_t)-1, 0, 0));
    int64_t child = call(CALL_FORK, 0, 0, 0, 0);
    if (child == 0) {
        int64_t self = call(CALL_GETPID, 0, 0, 0, 0);
        print_line("parent", call(CALL_GETPPID, 0, 0, 0, 0) == process);
        print_line("setpgid to no group", call(CALL_SETPGID, 0, NO_PROCESS, 0, 0));
        print_line("setpgid of the parent", call(CALL_SETPGID, (uint64_t)process, 0, 0, 0));
        print_line("setsid", call(CALL_SETSID, 0, 0, 0, 0) == self);
        print_line("session", call(CALL_GETSID, 0, 0, 0, 0) == self);
        print_line("group", call(CALL_GETPGID, 0, 0, 0, 0) == self);
        print_line("setsid again", call(CALL_SETSID, 0, 0, 0, 0));
        print_line("setpgid of the leader", call(CALL_SETPGID, 0, 0, 0, 0));
        exit_program(0);
    }
    call(CALL_WAIT4, (uint64_t)child, 0, 0, 0);
    print_line("it has ended", call(CALL_GETPGID, (uint64_t)child, 0, 0, 0));
}

int identities(void)
{
    give_up_privileges();
    users();
    groups();
    capabilities();
    processes();
    return 0;
}
