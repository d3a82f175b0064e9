// SPDX-License-Identifier: Apache-2.0
//
// System calls: their results are those of Linux.

#include "start.h"

#define PROT_READ 1
#define PROT_WRITE 2
#define MAP_PRIVATE 2
#define MAP_FIXED 16
#define MAP_ANONYMOUS 32
#define PAGE 4096UL

// Addresses that a program cannot use: the null page, the page after its address
// space, an address that is not canonical, the kernel's.
static const uint64_t bad_pointers[] = { 0x10, 0x7FFFFFFFFFF0UL, 0x8000000000000000UL, 0xFFFFFF0000000000UL };

static int64_t map(uint64_t address, uint64_t size, uint64_t protection, uint64_t flags)
{
    return call6(CALL_MMAP, address, size, protection, flags, (uint64_t)-1, 0);
}

static int memory(void)
{
    uint64_t start = (uint64_t)map(0, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
    volatile uint8_t *bytes = (volatile uint8_t *)start;
    for (int i = 0; i < 64; i++) {
        if (bytes[i * PAGE + 5] != 0) {
            return 1;
        }
        bytes[i * PAGE + 5] = (uint8_t)i;
    }
    print_line("read-only", call6(CALL_MPROTECT, start, 16 * PAGE, PROT_READ, 0, 0, 0));
    print_line("write", call6(CALL_READ, 0, start, 8, 0, 0, 0));
    print_line("none", call6(CALL_MPROTECT, start, PAGE, 0, 0, 0, 0));
    print_line("back", call6(CALL_MPROTECT, start, 64 * PAGE, PROT_READ | PROT_WRITE, 0, 0, 0));
    print_line("kept", bytes[7 * PAGE + 5] + bytes[5]);
    print_line("unmap", call6(CALL_MUNMAP, start + 8 * PAGE, 8 * PAGE, 0, 0, 0, 0));
    print_line("unmap again", call6(CALL_MUNMAP, start + 8 * PAGE, 8 * PAGE, 0, 0, 0, 0));
    print_line("protect a gap", call6(CALL_MPROTECT, start, 64 * PAGE, PROT_READ, 0, 0, 0));
    print_line("fixed", map(start + 4 * PAGE, 8 * PAGE, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED) == (int64_t)(start + 4 * PAGE));
    print_line("cleared", bytes[4 * PAGE + 5] + bytes[7 * PAGE + 5]);
    print_line("zero size", map(0, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS));
    print_line("odd address", map(start + 1, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED));
    print_line("too large", map(0, 1UL << 47, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS));
    print_line("no descriptor", map(0, PAGE, PROT_READ, MAP_PRIVATE));
    print_line("odd unmap", call6(CALL_MUNMAP, start + 1, PAGE, 0, 0, 0, 0));
    return 0;
}

static int heap(void)
{
    uint64_t start = (uint64_t)call6(CALL_BRK, 0, 0, 0, 0, 0, 0);
    print_line("grow", call6(CALL_BRK, start + 100000, 0, 0, 0, 0, 0) == (int64_t)(start + 100000));
    for (uint64_t i = 0; i < 100000; i += 1000) {
        ((volatile char *)start)[i] = 1;
    }
    print_line("grow again", call6(CALL_BRK, start + 1000000, 0, 0, 0, 0, 0) == (int64_t)(start + 1000000));
    ((volatile char *)start)[999999] = 1;
    print_line("shrink", call6(CALL_BRK, start, 0, 0, 0, 0, 0) == (int64_t)start);
    call6(CALL_BRK, start + PAGE, 0, 0, 0, 0, 0);
    print_line("below", call6(CALL_BRK, 1, 0, 0, 0, 0, 0) == (int64_t)(start + PAGE));
    return 0;
}

// Allocates until it is refused, then uses what it has got.
static int exhaust(void)
{
    uint64_t size = 1UL << 20;
    int count = 0;
    uint64_t last = 0;
    for (;;) {
        int64_t start = map(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
        if (start < 0 && start > -4096) {
            print_line("refused", start);
            break;
        }
        *(uint64_t *)start = last;
        last = (uint64_t)start;
        count++;
    }
    print_line("more than 4", count > 4);
    for (; last != 0; last = *(uint64_t *)last) {
        count--;
    }
    print_line("missing", count);
    return 0;
}

// Uses memory that nothing has promised to it: its stack.
static uint64_t recurse(uint64_t depth)
{
    volatile char block[8192];
    block[0] = (char)depth;
    return depth == 0 ? 0 : recurse(depth - 1) + (uint64_t)block[0];
}

// Each call that takes a pointer, with pointers that are not the program's. The
// number of the argument, then how many are sensible before it.
static int pointers(void)
{
    static const struct {
        const char *name;
        uint16_t number;
        uint8_t argument;
        uint64_t others[4];
    } calls[] = {
        { "read", 0, 1, { 0, 0, 8, 0 } },
        { "write", 1, 1, { 1, 0, 8, 0 } },
        { "fstat", 5, 1, { 1, 0, 0, 0 } },
        { "rt_sigaction old", 13, 2, { 10, 0, 0, 8 } },
        { "rt_sigaction new", 13, 1, { 10, 0, 0, 8 } },
        { "rt_sigprocmask old", 14, 2, { 0, 0, 0, 8 } },
        { "rt_sigprocmask new", 14, 1, { 0, 0, 0, 8 } },
        { "readv", 19, 1, { 0, 0, 1, 0 } },
        { "writev", 20, 1, { 1, 0, 1, 0 } },
        { "nanosleep", 35, 0, { 0, 0, 0, 0 } },
        { "uname", 63, 0, { 0, 0, 0, 0 } },
        { "gettimeofday", 96, 0, { 0, 0, 0, 0 } },
        { "sysinfo", 99, 0, { 0, 0, 0, 0 } },
        { "arch_prctl", 158, 1, { 0x1003, 0, 0, 0 } },
        { "time", 201, 0, { 0, 0, 0, 0 } },
        { "futex", 202, 0, { 0, 0, 0, 0 } },
        { "clock_gettime", 228, 1, { 0, 0, 0, 0 } },
        { "clock_getres", 229, 1, { 0, 0, 0, 0 } },
        { "newfstatat path", 262, 1, { (uint64_t)-100, 0, 0, 0 } },
        { "readlinkat path", 267, 1, { (uint64_t)-100, 0, 0, 8 } },
        { "prlimit64", 302, 3, { 0, 3, 0, 0 } },
        { "getrandom", 318, 0, { 0, 8, 0, 0 } },
        { "open", 2, 0, { 0, 0, 0, 0 } },
        { "stat path", 4, 0, { 0, 0, 0, 0 } },
        { "access", 21, 0, { 0, 0, 0, 0 } },
        { "getcwd", 79, 0, { 0, 4096, 0, 0 } },
        { "chdir", 80, 0, { 0, 0, 0, 0 } },
        { "rename", 82, 0, { 0, 0, 0, 0 } },
        { "mkdir", 83, 0, { 0, 0, 0, 0 } },
        { "rmdir", 84, 0, { 0, 0, 0, 0 } },
        { "link", 86, 0, { 0, 0, 0, 0 } },
        { "unlink", 87, 0, { 0, 0, 0, 0 } },
        { "symlink", 88, 0, { 0, 0, 0, 0 } },
        { "chmod", 90, 0, { 0, 0, 0, 0 } },
        { "truncate", 76, 0, { 0, 0, 0, 0 } },
        { "getresuid", 118, 0, { 0, 0, 0, 0 } },
        { "statfs", 137, 0, { 0, 0, 0, 0 } },
        { "fstatfs", 138, 1, { 1, 0, 0, 0 } },
        { "getxattr", 191, 0, { 0, 0, 0, 0 } },
        { "openat", 257, 1, { (uint64_t)-100, 0, 0, 0 } },
        { "utimensat", 280, 2, { 1, 0, 0, 0 } },
        { "memfd_create", 319, 0, { 0, 0, 0, 0 } },
        { "statx", 332, 1, { (uint64_t)-100, 0, 0, 0x7FF } },
        { "faccessat2", 439, 1, { (uint64_t)-100, 0, 0, 0 } },
    };
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        print(calls[i].name);
        for (size_t j = 0; j < sizeof bad_pointers / sizeof bad_pointers[0]; j++) {
            uint64_t arguments[4];
            for (int k = 0; k < 4; k++) {
                arguments[k] = k == calls[i].argument ? bad_pointers[j] : calls[i].others[k];
            }
            print(" ");
            print_number(call6(calls[i].number, arguments[0], arguments[1], arguments[2], arguments[3], 0, 0));
        }
        print("\n");
    }
    return 0;
}

static int errors(void)
{
    print_line("read of a closed descriptor", call6(CALL_READ, 77, 0, 0, 0, 0, 0));
    print_line("write to a closed descriptor", call6(CALL_WRITE, 77, 0, 0, 0, 0, 0));
    print_line("seek", call6(8, 1, 0, 0, 0, 0, 0));
    print_line("terminal", call6(16, 1, 0x5401, 0, 0, 0, 0));
    print_line("signal 0", call6(CALL_KILL, (uint64_t)call6(CALL_GETPID, 0, 0, 0, 0, 0, 0), 0, 0, 0, 0, 0));
    print_line("signal 65", call6(CALL_KILL, (uint64_t)call6(CALL_GETPID, 0, 0, 0, 0, 0, 0), 65, 0, 0, 0, 0));
    print_line("close", call6(3, 2, 0, 0, 0, 0, 0));
    print_line("close again", call6(3, 2, 0, 0, 0, 0, 0));
    print_line("clock", call6(228, 1000, (uint64_t)(uint64_t[2]){ 0, 0 }, 0, 0, 0, 0));
    static uint64_t usage[18];
    print_line("usage", call6(98, 0, (uint64_t)usage, 0, 0, 0, 0));
    print_line("usage of children", call6(98, (uint64_t)-1, (uint64_t)usage, 0, 0, 0, 0));
    print_line("time of children", (int64_t)usage[0]);
    print_line("usage of others", call6(98, 2, (uint64_t)usage, 0, 0, 0, 0));
    print_line("usage without memory", call6(98, 0, 0, 0, 0, 0, 0));
    print_line("times", call6(100, (uint64_t)usage, 0, 0, 0, 0, 0) >= 0);
    print_line("only the result", call6(100, 0, 0, 0, 0, 0, 0) >= 0);
    print_line("no such number", call6(9999, 0, 0, 0, 0, 0, 0));
    return 0;
}

static int unsupported(void)
{
    print_line("bpf", call6(321, 0, 0, 0, 0, 0, 0));
    print_line("bpf", call6(321, 0, 0, 0, 0, 0, 0));
    print_line("acct", call6(163, 0, 0, 0, 0, 0, 0));
    print_line("none", call6(100000, 0, 0, 0, 0, 0, 0));
    return 0;
}

static void kill_self(uint64_t signal)
{
    call6(CALL_KILL, (uint64_t)call6(CALL_GETPID, 0, 0, 0, 0, 0, 0), signal, 0, 0, 0, 0);
}

static int blocked(void)
{
    uint64_t mask = 1UL << (10 - 1);
    call6(14, 0, (uint64_t)&mask, 0, 8, 0, 0);
    kill_self(10);
    print("blocked\n");
    call6(14, 1, (uint64_t)&mask, 0, 8, 0, 0);
    print("not reached\n");
    return 1;
}

int system_calls(const char *name, const struct start *start)
{
    if (equal(name, "memory")) {
        return memory();
    }
    if (equal(name, "heap")) {
        return heap();
    }
    if (equal(name, "exhaust")) {
        return exhaust();
    }
    if (equal(name, "recurse")) {
        return (int)(recurse(parse_number(start->arguments[2])) & 1);
    }
    if (equal(name, "pointers")) {
        return pointers();
    }
    if (equal(name, "errors")) {
        return errors();
    }
    if (equal(name, "unsupported")) {
        return unsupported();
    }
    if (equal(name, "blocked")) {
        return blocked();
    }
    if (equal(name, "kill")) {
        kill_self(parse_number(start->arguments[2]));
        print("alive\n");
        return 0;
    }
    return -1;
}
