// SPDX-License-Identifier: Apache-2.0
//
// What a process asks about itself and the system. What is different everywhere is not printed.

#include "calls.h"

#define PAGE 4096UL
#define KERNEL 0xFFFFFF0000000000UL

static char buffer[512];

// Of processes, not of threads: a new program has it again.
static void options(void)
{
    enum { GET_DUMPABLE = 3, SET_DUMPABLE = 4, SET_NAME = 15, GET_NAME = 16, NO_OPTION = 9999 };
    print_line("set name", call(CALL_PRCTL, SET_NAME, at("a name that is too long"), 0, 0));
    print_line("get name", call(CALL_PRCTL, GET_NAME, at(buffer), 0, 0));
    print(buffer);
    print("\n");
    print_line("bad address", call(CALL_PRCTL, SET_NAME, BAD_ADDRESS, 0, 0));
    print_line("bad address", call(CALL_PRCTL, GET_NAME, BAD_ADDRESS, 0, 0));
    print_line("dumpable", call(CALL_PRCTL, GET_DUMPABLE, 0, 0, 0));
    print_line("not dumpable", call(CALL_PRCTL, SET_DUMPABLE, 0, 0, 0));
    print_line("dumpable", call(CALL_PRCTL, GET_DUMPABLE, 0, 0, 0));
    int64_t child = call(CALL_FORK, 0, 0, 0, 0);
    if (child == 0) {
        print_line("inherited", call(CALL_PRCTL, GET_DUMPABLE, 0, 0, 0));
        print_line("for the child", call(CALL_PRCTL, SET_DUMPABLE, 1, 0, 0));
        exit_program(0);
    }
    call(CALL_WAIT4, (uint64_t)child, 0, 0, 0);
    print_line("dumpable", call(CALL_PRCTL, GET_DUMPABLE, 0, 0, 0));
    print_line("dumpable again", call(CALL_PRCTL, SET_DUMPABLE, 1, 0, 0));
    print_line("wrong value", call(CALL_PRCTL, SET_DUMPABLE, 2, 0, 0));
    print_line("no option", call(CALL_PRCTL, NO_OPTION, 0, 0, 0));
}

static void bases(void)
{
    enum { SET_GS = 0x1001, SET_FS = 0x1002, GET_FS = 0x1003, GET_GS = 0x1004 };
    uint64_t value = 1;
    print_line("set", call(CALL_ARCH_PRCTL, SET_FS, at(buffer), 0, 0));
    print_line("get", call(CALL_ARCH_PRCTL, GET_FS, at(&value), 0, 0));
    print_line("the same", value == at(buffer));
    print_line("other", call(CALL_ARCH_PRCTL, SET_GS, at(buffer) + 8, 0, 0));
    print_line("get", call(CALL_ARCH_PRCTL, GET_GS, at(&value), 0, 0));
    print_line("the same", value == at(buffer) + 8);
    print_line("of the kernel", call(CALL_ARCH_PRCTL, SET_FS, KERNEL, 0, 0));
    print_line("of the kernel", call(CALL_ARCH_PRCTL, SET_GS, KERNEL, 0, 0));
    print_line("not canonical", call(CALL_ARCH_PRCTL, SET_FS, 1UL << 63, 0, 0));
    print_line("bad address", call(CALL_ARCH_PRCTL, GET_FS, BAD_ADDRESS, 0, 0));
    print_line("bad address", call(CALL_ARCH_PRCTL, GET_GS, BAD_ADDRESS, 0, 0));
    print_line("no command", call(CALL_ARCH_PRCTL, 0x9999, 0, 0, 0));
}

static void about_system(void)
{
    uint64_t *words = (uint64_t *)buffer;
    print_line("uname", call(CALL_UNAME, at(buffer), 0, 0, 0));
    print(buffer);
    print("\n");
    print(buffer + 4 * 65);
    print("\n");
    print_line("names", buffer[65] != 0 && buffer[2 * 65] >= '4' && buffer[3 * 65] == '#');
    print_line("bad address", call(CALL_UNAME, BAD_ADDRESS, 0, 0, 0));
    print_line("sysinfo", call(CALL_SYSINFO, at(buffer), 0, 0, 0));
    print_line("memory", words[4] != 0 && words[5] != 0 && words[5] <= words[4]);
    print_line("processes", *(uint16_t *)(buffer + 80) != 0);
    print_line("unit", *(uint32_t *)(buffer + 104) != 0);
    print_line("bad address", call(CALL_SYSINFO, BAD_ADDRESS, 0, 0, 0));
    print_line("times", call(CALL_TIMES, at(buffer), 0, 0, 0) >= 0);
    print_line("bad address", call(CALL_TIMES, BAD_ADDRESS, 0, 0, 0));
    print_line("getrusage", call(CALL_GETRUSAGE, 0, at(buffer), 0, 0));
    print_line("of the thread", call(CALL_GETRUSAGE, 1, at(buffer), 0, 0));
    print_line("memory", words[4] != 0);
    print_line("bad address", call(CALL_GETRUSAGE, 0, BAD_ADDRESS, 0, 0));
    print_line("of nobody", call(CALL_GETRUSAGE, (uint64_t)-2, at(buffer), 0, 0));
}

static void randomness(void)
{
    enum { NONBLOCK = 1, RANDOM = 2, INSECURE = 4, UNKNOWN = 8 };
    uint64_t words[2] = { 0, 0 };
    print_line("getrandom", call(CALL_GETRANDOM, at(words), sizeof words, 0, 0));
    print_line("bytes", words[0] != 0 && words[1] != 0 && words[0] != words[1]);
    print_line("without waiting", call(CALL_GETRANDOM, at(words), 3, NONBLOCK, 0));
    print_line("insecure", call(CALL_GETRANDOM, at(words), 3, INSECURE, 0));
    print_line("both", call(CALL_GETRANDOM, at(words), 3, RANDOM | INSECURE, 0));
    print_line("wrong flags", call(CALL_GETRANDOM, at(words), 3, UNKNOWN, 0));
    print_line("nothing", call(CALL_GETRANDOM, BAD_ADDRESS, 0, 0, 0));
    print_line("bad address", call(CALL_GETRANDOM, BAD_ADDRESS, 3, 0, 0));
}

// Of threads.
static void thread_ids(void)
{
    static uint64_t head[3];
    static uint32_t cleared;
    uint64_t found = 0, size = 0;
    int64_t thread = call(CALL_GETTID, 0, 0, 0, 0);
    print_line("first thread", thread == call(CALL_GETPID, 0, 0, 0, 0));
    print_line("set_tid_address", call(CALL_SET_TID_ADDRESS, at(&cleared), 0, 0, 0) == thread);
    print_line("set_robust_list", call(CALL_SET_ROBUST_LIST, at(head), sizeof head, 0, 0));
    print_line("wrong size", call(CALL_SET_ROBUST_LIST, at(head), 8, 0, 0));
    print_line("get_robust_list", call(CALL_GET_ROBUST_LIST, 0, at(&found), at(&size), 0));
    print_line("the same", found == at(head) && size == sizeof head);
    print_line("by the number", call(CALL_GET_ROBUST_LIST, (uint64_t)thread, at(&found), at(&size), 0));
    print_line("no thread", call(CALL_GET_ROBUST_LIST, NO_PROCESS, at(&found), at(&size), 0));
    print_line("bad address", call(CALL_GET_ROBUST_LIST, 0, BAD_ADDRESS, at(&size), 0));
    print_line("bad address of the size", call(CALL_GET_ROBUST_LIST, 0, at(&found), BAD_ADDRESS, 0));
    call(CALL_SET_ROBUST_LIST, 0, sizeof head, 0, 0);
}

static int64_t limit(uint64_t process, uint64_t resource, const uint64_t *new, uint64_t *old)
{
    return call(CALL_PRLIMIT64, process, resource, at(new), at(old));
}

static void limits(void)
{
    enum { STACK = 3, CORE = 4, NO_LIMIT = 16 };
    const uint64_t wrong[2] = { 2, 1 };
    uint64_t own[2];
    print_line("getrlimit", call(CALL_GETRLIMIT, CORE, at(own), 0, 0));
    own[0] = 0;
    print_line("setrlimit", call(CALL_SETRLIMIT, CORE, at(own), 0, 0));
    own[0] = 1;
    print_line("prlimit64", limit(0, CORE, NULL, own));
    print_line("soft", (int64_t)own[0]);
    print_line("no resource", limit(0, NO_LIMIT, NULL, own));
    print_line("wrong", limit(0, CORE, wrong, NULL));
    print_line("bad address", limit(0, CORE, (const uint64_t *)BAD_ADDRESS, NULL));
    print_line("bad address of the old one", limit(0, CORE, NULL, (uint64_t *)BAD_ADDRESS));
    print_line("no process", limit(NO_PROCESS, CORE, NULL, own));
    print_line("negative process", limit((uint64_t)-1, CORE, NULL, own));
    print_line("nothing", limit(0, STACK, NULL, NULL));
}

int process_attributes(void)
{
    options();
    bases();
    about_system();
    randomness();
    thread_ids();
    limits();
    return 0;
}
