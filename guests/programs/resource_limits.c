// SPDX-License-Identifier: Apache-2.0
//
// Limits that a program sets for itself: setrlimit and prlimit64, and priorities.

#include "files.h"
#include "signals.h"

#define CALL_POLL 7
#define CALL_FORK 57
#define CALL_WAIT4 61
#define CALL_GETRLIMIT 97
#define CALL_GETPRIORITY 140
#define CALL_SETPRIORITY 141
#define CALL_SETRLIMIT 160
#define CALL_SETTIMEOFDAY 164
#define CALL_GETTID 186
#define CALL_CLOCK_SETTIME 227
#define CALL_CLOCK_GETTIME 228
#define CALL_PRLIMIT64 302

enum { FSIZE = 1, CORE = 4, NPROC = 6, NOFILE = 7, AS = 9 };

static int64_t set_limit(uint64_t resource, uint64_t soft)
{
    uint64_t limit[2];
    call(CALL_GETRLIMIT, resource, (uint64_t)limit, 0, 0);
    limit[0] = soft < limit[1] ? soft : limit[1];
    return call(CALL_SETRLIMIT, resource, (uint64_t)limit, 0, 0);
}

static void errors(void)
{
    const uint64_t wrong[2] = { 2, 1 };
    uint64_t limit[2] = { 0 };
    uint64_t process = (uint64_t)call(CALL_GETPID, 0, 0, 0, 0);
    print_line("no resource", call(CALL_GETRLIMIT, 16, (uint64_t)limit, 0, 0));
    print_line("no resource", call(CALL_SETRLIMIT, 16, (uint64_t)limit, 0, 0));
    print_line("bad address", call(CALL_GETRLIMIT, 0, 16, 0, 0));
    print_line("bad address", call(CALL_SETRLIMIT, 0, 16, 0, 0));
    print_line("more than the most", call(CALL_SETRLIMIT, 0, (uint64_t)wrong, 0, 0));
    print_line("no process", call(CALL_PRLIMIT64, 0x7FFFFFF0, 0, 0, (uint64_t)limit));
    print_line("set", set_limit(NOFILE, 100));
    const uint64_t lower[2] = { 90, 100 };
    print_line("exchange", call(CALL_PRLIMIT64, process, NOFILE, (uint64_t)lower, (uint64_t)limit));
    print_line("previous", (int64_t)limit[0]);
    print_line("get", call(CALL_PRLIMIT64, 0, NOFILE, 0, (uint64_t)limit));
    print_line("soft", (int64_t)limit[0]);
    print_line("hard", (int64_t)limit[1]);
}

static void descriptors(void)
{
    uint8_t entries[8 * 24] = { 0 };
    print_line("set", set_limit(NOFILE, 20));
    int64_t result;
    int64_t last = 0;
    while ((result = call(CALL_DUP, 0, 0, 0, 0)) >= 0) {
        last = result;
    }
    print_line("no descriptor", result);
    print_line("last", last);
    print_line("replaced", call(CALL_DUP2, 0, 19, 0, 0));
    print_line("beyond", call(CALL_DUP2, 0, 20, 0, 0));
    print_line("from there on", call(CALL_FCNTL, 0, 0, 20, 0));
    for (int i = 0; i < 24; i++) {
        *(int32_t *)(entries + 8 * i) = -1;
    }
    print_line("poll", call(CALL_POLL, (uint64_t)entries, 20, 0, 0));
    print_line("poll too many", call(CALL_POLL, (uint64_t)entries, 21, 0, 0));
    int64_t child = call(CALL_FORK, 0, 0, 0, 0);
    if (child == 0) {
        print_line("inherited", call(CALL_DUP, 0, 0, 0, 0));
        exit_program(0);
    }
    call(CALL_WAIT4, (uint64_t)child, 0, 0, 0);
    print_line("more", set_limit(NOFILE, 21));
    print_line("one more", call(CALL_DUP, 0, 0, 0, 0));
    call(CALL_CLOSE_RANGE, 3, ~0U, 0, 0);
}

static void receive(int signal)
{
    print_line("signal", signal);
}

static void file_sizes(void)
{
    static char block[600];
    int64_t file = open_file("limited", O_RDWR | O_CREAT, 0600);
    print_line("set", set_limit(FSIZE, 1000));
    set_handler(25, (uint64_t)receive, 0, 0);
    print_line("write", call(CALL_WRITE, (uint64_t)file, (uint64_t)block, sizeof block, 0));
    print_line("a part", call(CALL_WRITE, (uint64_t)file, (uint64_t)block, sizeof block, 0));
    print_line("nothing", call(CALL_WRITE, (uint64_t)file, (uint64_t)block, 0, 0));
    print_line("no more", call(CALL_WRITE, (uint64_t)file, (uint64_t)block, 1, 0));
    print_line("beyond", call(CALL_PWRITE64, (uint64_t)file, (uint64_t)block, 1, 5000));
    print_line("before", call(CALL_PWRITE64, (uint64_t)file, (uint64_t)block, 10, 999));
    print_line("longer", call(CALL_FTRUNCATE, (uint64_t)file, 1001, 0, 0));
    print_line("shorter", call(CALL_FTRUNCATE, (uint64_t)file, 500, 0, 0));
    print_line("by its name", call(CALL_TRUNCATE, (uint64_t)"limited", 1001, 0, 0));
    print_line("as long as permitted", call(CALL_TRUNCATE, (uint64_t)"limited", 1000, 0, 0));
    set_handler(25, 1, 0, 0);
    print_line("ignored", call(CALL_PWRITE64, (uint64_t)file, (uint64_t)block, 1, 5000));
    set_handler(25, 0, 0, 0);
    set_limit(CORE, 0);
    int64_t child = call(CALL_FORK, 0, 0, 0, 0);
    if (child == 0) {
        call(CALL_PWRITE64, (uint64_t)file, (uint64_t)block, 1, 5000);
        exit_program(0);
    }
    uint32_t status = 0;
    call(CALL_WAIT4, (uint64_t)child, (uint64_t)&status, 0, 0);
    print_line("ended by", status & 0x7F);
    print_line("set", set_limit(FSIZE, UINT64_MAX));
    print_line("unlimited", call(CALL_PWRITE64, (uint64_t)file, (uint64_t)block, 1, 5000));
    close_file(file);
    call(CALL_UNLINK, (uint64_t)"limited", 0, 0, 0);
}

static int64_t map(uint64_t size)
{
    int64_t result = call6(CALL_MMAP, 0, size, 3, 0x22, (uint64_t)-1, 0);
    return result < 0 ? result : call(CALL_MUNMAP, (uint64_t)result, size, 0, 0);
}

static void memory(void)
{
    int64_t start = call6(CALL_MMAP, 0, 4096, 3, 0x22, (uint64_t)-1, 0);
    int64_t heap = call(CALL_BRK, 0, 0, 0, 0);
    print_line("set", set_limit(AS, 64 << 20));
    print_line("fits", map(4096));
    print_line("too large", map(65 << 20));
    print_line("set", set_limit(AS, 4096));
    print_line("nothing", map(4096));
    print_line("not longer", call(CALL_MREMAP, (uint64_t)start, 4096, 8192, 1));
    print_line("shorter", call(CALL_MREMAP, (uint64_t)start, 4096, 4096, 1) == start);
    print_line("no heap", call(CALL_BRK, (uint64_t)heap + 8192, 0, 0, 0) - heap);
    print_line("set", set_limit(AS, UINT64_MAX));
    print_line("again", map(65 << 20));
    print_line("longer", call(CALL_MREMAP, (uint64_t)start, 4096, 8192, 1) > 0);
    print_line("heap", call(CALL_BRK, (uint64_t)heap + 8192, 0, 0, 0) - heap);
}

// How much of the address space is used, found with limits.
static uint64_t used(void)
{
    uint64_t least = 0;
    uint64_t most = 1UL << 20;
    while (least + 1 < most) {
        uint64_t pages = least + (most - least) / 2;
        set_limit(AS, pages << 12);
        if (map(4096) == 0) {
            most = pages;
        } else {
            least = pages;
        }
    }
    set_limit(AS, UINT64_MAX);
    return least << 12;
}

static int64_t priority(uint64_t kind, int64_t id)
{
    return call(CALL_GETPRIORITY, kind, (uint64_t)id, 0, 0);
}

static int64_t set_priority(uint64_t kind, int64_t id, int64_t nice)
{
    return call(CALL_SETPRIORITY, kind, (uint64_t)id, (uint64_t)nice, 0);
}

// Clocks of processor time by the numbers of processes and threads.
static void clocks(void)
{
    int64_t time[2];
    uint64_t process = (uint64_t)call(CALL_GETPID, 0, 0, 0, 0);
    print_line("of the process", call(CALL_CLOCK_GETTIME, (uint32_t)(~process << 3 | 2), (uint64_t)time, 0, 0));
    print_line("of the thread", call(CALL_CLOCK_GETTIME, (uint32_t)(~process << 3 | 6), (uint64_t)time, 0, 0));
    print_line("of the caller", call(CALL_CLOCK_GETTIME, (uint32_t)(~0U << 3 | 2), (uint64_t)time, 0, 0));
    print_line("of none", call(CALL_CLOCK_GETTIME, (uint32_t)(~0x7FFFFF0U << 3 | 2), (uint64_t)time, 0, 0));
    print_line("of nothing", call(CALL_CLOCK_GETTIME, (uint32_t)(~process << 3 | 3), (uint64_t)time, 0, 0));
}

static uint8_t stack[16384] __attribute__((aligned(16)));
static volatile uint32_t identifier;

// By the number of a thread that is not the first one.
static void of_thread(uint64_t before)
{
    uint64_t limit[2];
    int64_t thread = call(CALL_GETTID, 0, 0, 0, 0);
    print_line("another one", thread != call(CALL_GETPID, 0, 0, 0, 0));
    print_line("priority", priority(0, thread) - (int64_t)before);
    print_line("same", set_priority(0, thread, 20 - (int64_t)before));
    print_line("limit", call(CALL_PRLIMIT64, (uint64_t)thread, NOFILE, 0, (uint64_t)limit));
}

// From where it is on: what starts the program may have lowered it.
static void priorities(void)
{
    int64_t before = priority(0, 0);
    int64_t process = call(CALL_GETPID, 0, 0, 0, 0);
    print_line("no kind", priority(3, 0));
    print_line("no kind", set_priority(3, 0, 0));
    print_line("no process", priority(0, 0x7FFFFFF0));
    print_line("no process", set_priority(0, 0x7FFFFFF0, 19));
    start_thread((uint64_t)of_thread, (uint64_t)before, (uint64_t)(stack + sizeof stack), &identifier);
    join_thread(&identifier);
    print_line("same", set_priority(0, 0, 20 - before));
    print_line("lower", set_priority(0, process, 21 - before));
    print_line("priority", priority(0, 0) - before);
    int64_t child = call(CALL_FORK, 0, 0, 0, 0);
    if (child == 0) {
        print_line("inherited", priority(0, 0) - before);
        print_line("lowest", set_priority(0, 0, 1000));
        print_line("priority", priority(0, 0));
        exit_program(0);
    }
    call(CALL_WAIT4, (uint64_t)child, 0, 0, 0);
    print_line("own", priority(0, 0) - before);
}

int resource_limits(void)
{
    call(CALL_UMASK, 022, 0, 0, 0);
    if (enter_directory() != 0) {
        return 1;
    }
    errors();
    file_sizes();
    memory();
    priorities();
    clocks();
    descriptors();
    return leave_directory();
}

// VM only: what is replaced does not count. It does with some versions of Linux.
int moved_memory(void)
{
    int64_t start = call6(CALL_MMAP, 0, 4096, 3, 0x22, (uint64_t)-1, 0);
    int64_t target = call6(CALL_MMAP, 0, 8192, 3, 0x22, (uint64_t)-1, 0);
    print_line("set", set_limit(AS, used()));
    print_line("not longer", call(CALL_MREMAP, (uint64_t)start, 4096, 8192, 1));
    print_line("moved", call6(CALL_MREMAP, (uint64_t)start, 4096, 8192, 3, (uint64_t)target, 0) == target);
    print_line("not in itself", call6(CALL_MREMAP, (uint64_t)target, 8192, 8192, 3, (uint64_t)target + 4096, 0));
    print_line("set", set_limit(AS, UINT64_MAX));
    return 0;
}

// What root may do, and the user of a program may not.
int no_privileges(void)
{
    uint64_t limit[2];
    call(CALL_GETRLIMIT, NOFILE, (uint64_t)limit, 0, 0);
    limit[1]++;
    print_line("not more", call(CALL_SETRLIMIT, NOFILE, (uint64_t)limit, 0, 0));
    print_line("not higher", set_priority(0, 0, -1));
    const int64_t time[2] = { 1, 0 };
    const int64_t wrong[2] = { 1, 1000000000 };
    print_line("clock", call(CALL_CLOCK_SETTIME, 0, (uint64_t)time, 0, 0));
    print_line("wrong time", call(CALL_CLOCK_SETTIME, 0, (uint64_t)wrong, 0, 0));
    print_line("no such clock to set", call(CALL_CLOCK_SETTIME, 1, (uint64_t)time, 0, 0));
    print_line("no address", call(CALL_CLOCK_SETTIME, 0, 16, 0, 0));
    print_line("time of day", call(CALL_SETTIMEOFDAY, (uint64_t)time, 0, 0, 0));
    print_line("set", set_limit(NPROC, 1));
    print_line("no process", call(CALL_FORK, 0, 0, 0, 0));
    print_line("set", set_limit(NPROC, 2));
    int64_t child = call(CALL_FORK, 0, 0, 0, 0);
    if (child == 0) {
        print_line("one process", call(CALL_FORK, 0, 0, 0, 0));
        exit_program(0);
    }
    call(CALL_WAIT4, (uint64_t)child, 0, 0, 0);
    return 0;
}
