// SPDX-License-Identifier: Apache-2.0
//
// What a program has used and given back is free again: the memory that the kernel counts is the same after each round.

#include "storm.h"

#include "files.h"

enum { CALL_PIPE = 22, CALL_SOCKETPAIR = 53, CALL_FORK = 57, CALL_VFORK = 58, CALL_EXECVE = 59, CALL_WAIT4 = 61, CALL_TIMER_CREATE = 222,
       CALL_TIMER_DELETE = 226, CALL_EPOLL_CREATE = 213, CALL_EPOLL_CTL = 233, CALL_EVENTFD2 = 290 };

#define PAGE 4096UL
#define NOWHERE 8UL

static uint8_t stack[8192] __attribute__((aligned(16)));
static volatile uint32_t identifier;

// The numbers of a file of the kernel that follow a name.
static int64_t number_after(const char *text, const char *name)
{
    for (; *text != 0; text++) {
        size_t i = 0;
        while (name[i] != 0 && text[i] == name[i]) {
            i++;
        }
        if (name[i] == 0) {
            for (text += i; *text == ' ';) {
                text++;
            }
            return (int64_t)parse_number(text);
        }
    }
    return -1;
}

static void read_memory(int64_t *free, int64_t *promised)
{
    static char text[4096];
    int64_t file = open_file("/proc/meminfo", O_RDONLY, 0);
    int64_t size = call(CALL_READ, (uint64_t)file, (uint64_t)text, sizeof text - 1, 0);
    close_file(file);
    text[size < 0 ? 0 : size] = 0;
    *free = number_after(text, "MemFree:");
    *promised = number_after(text, "Committed_AS:");
}

static void use_files(void)
{
    int32_t pair[2];
    call(CALL_PIPE, (uint64_t)pair, 0, 0, 0);
    call(CALL_WRITE, (uint64_t)pair[1], (uint64_t)stack, sizeof stack, 0);
    int64_t epoll = call(CALL_EPOLL_CREATE, 1, 0, 0, 0);
    uint8_t event[12] = { 1 };
    call(CALL_EPOLL_CTL, (uint64_t)epoll, 1, (uint64_t)pair[0], (uint64_t)event);
    close_file(pair[0]);
    close_file(pair[1]);
    close_file(epoll);
    call(CALL_SOCKETPAIR, 1, 1, 0, (uint64_t)pair);
    call(CALL_WRITE, (uint64_t)pair[1], (uint64_t)stack, sizeof stack, 0);
    call(48, (uint64_t)pair[0], 1, 0, 0);
    close_file(pair[0]);
    close_file(pair[1]);
    close_file(call(CALL_EVENTFD2, 0, 0, 0, 0));
    // Those that cannot be handed out.
    call(CALL_PIPE, NOWHERE, 0, 0, 0);
    call(CALL_SOCKETPAIR, 1, 1, 0, NOWHERE);
    open_file((const char *)NOWHERE, O_RDONLY, 0);
    call(CALL_TIMER_CREATE, 0, 0, NOWHERE, 0);
    uint32_t timer = 0;
    call(CALL_TIMER_CREATE, 0, 0, (uint64_t)&timer, 0);
    call(CALL_TIMER_DELETE, timer, 0, 0, 0);
}

static void use_names(void)
{
    call(CALL_MKDIR, (uint64_t)"/tmp/x", 0777, 0, 0);
    call(CALL_MKDIR, (uint64_t)"/tmp/x/y", 0777, 0, 0);
    int64_t file = open_file("/tmp/x/y/z", O_RDWR | O_CREAT, 0666);
    call(CALL_FTRUNCATE, (uint64_t)file, 1UL << 38, 0, 0);
    call(CALL_PWRITE64, (uint64_t)file, (uint64_t)stack, sizeof stack, 1UL << 37);
    call(CALL_FALLOCATE, (uint64_t)file, 0, 0, 5 * PAGE);
    call(CALL_FALLOCATE, (uint64_t)file, 3, PAGE, 2 * PAGE);
    uint64_t mapping = (uint64_t)call6(CALL_MMAP, 0, 4 * PAGE, 3, 1, (uint64_t)file, 0);
    *(volatile uint8_t *)(mapping + PAGE) = 1;
    call(CALL_FTRUNCATE, (uint64_t)file, 0, 0, 0);
    call(CALL_LINK, (uint64_t)"/tmp/x/y/z", (uint64_t)"/tmp/other", 0, 0);
    call(CALL_SYMLINK, (uint64_t)"target", (uint64_t)"/tmp/symbolic", 0, 0);
    call(CALL_SYMLINK, (uint64_t)"target", NOWHERE, 0, 0);
    call(CALL_RENAME, (uint64_t)"/tmp/symbolic", (uint64_t)"/tmp/other", 0, 0);
    call(CALL_UNLINK, (uint64_t)"/tmp/other", 0, 0, 0);
    int64_t directory = open_file("/tmp/x/y", O_RDONLY | O_DIRECTORY, 0);
    call(CALL_RENAME, (uint64_t)"/tmp/x/y", (uint64_t)"/tmp/y", 0, 0);
    call(CALL_UNLINK, (uint64_t)"/tmp/y/z", 0, 0, 0);
    call(CALL_RMDIR, (uint64_t)"/tmp/y", 0, 0, 0);
    call(CALL_RMDIR, (uint64_t)"/tmp/x", 0, 0, 0);
    close_file(directory);
    close_file(file);
    call(CALL_MUNMAP, mapping, 4 * PAGE, 0, 0);
    close_file(open_file("/tmp", O_RDWR | O_TMPFILE, 0600));
    close_file(open_file("/proc/self/fd/0", O_PATH | O_NOFOLLOW, 0));
    close_file(call(CALL_MEMFD_CREATE, (uint64_t)"name", 0, 0, 0));
}

static void use_memory(void)
{
    uint64_t memory = (uint64_t)call6(CALL_MMAP, 0, 16 * PAGE, 3, 0x22, (uint64_t)-1, 0);
    for (uint64_t offset = 0; offset < 16 * PAGE; offset += PAGE) {
        *(volatile uint8_t *)(memory + offset) = 1;
    }
    call(CALL_MPROTECT, memory + 3 * PAGE, 2 * PAGE, 0, 0);
    call(CALL_MPROTECT, memory + 3 * PAGE, PAGE, 1, 0);
    call(CALL_MADVISE, memory + 8 * PAGE, 2 * PAGE, 4, 0);
    uint64_t moved = (uint64_t)call(CALL_MREMAP, memory + 10 * PAGE, 4 * PAGE, 8 * PAGE, 1);
    call(CALL_MREMAP, moved, 8 * PAGE, PAGE, 0);
    call(CALL_MUNMAP, moved, PAGE, 0, 0);
    call(CALL_MUNMAP, memory, 16 * PAGE, 0, 0);
    uint64_t shared = (uint64_t)call6(CALL_MMAP, 0, 4 * PAGE, 3, 0x21, (uint64_t)-1, 0);
    *(volatile uint8_t *)shared = 1;
    call(CALL_MREMAP, shared, 4 * PAGE, 6 * PAGE, 1);
    call(CALL_MUNMAP, shared, 6 * PAGE, 0, 0);
    uint64_t end = (uint64_t)call(CALL_BRK, 0, 0, 0, 0);
    call(CALL_BRK, end + 4 * PAGE, 0, 0, 0);
    *(volatile uint8_t *)end = 1;
    call(CALL_BRK, end, 0, 0, 0);
    call6(CALL_MMAP, 0, 1UL << 45, 3, 0x22, (uint64_t)-1, 0);
    call6(CALL_MMAP, 0, 1UL << 45, 3, 0x21, (uint64_t)-1, 0);
    // As it was before, whatever of these was mapped where.
    call(CALL_MUNMAP, memory - 64 * PAGE, 96 * PAGE, 0, 0);
}

static void end(uint64_t unused)
{
    (void)unused;
}

static void use_processes(void)
{
    static const char *const arguments[] = { "program", "exit", "0", NULL };
    static volatile uint8_t written[3 * PAGE];
    for (int kind = 0; kind < 4; kind++) {
        int64_t child = call(kind == 2 ? CALL_VFORK : CALL_FORK, 0, 0, 0, 0);
        if (child == 0) {
            if (kind == 0) {
                written[PAGE]++;
                use_memory();
            } else if (kind != 3) {
                call(CALL_EXECVE, (uint64_t)(kind == 1 ? "/proc/self/exe" : "/missing"), (uint64_t)arguments, (uint64_t)&arguments[3], 0);
            } else {
                call(CALL_KILL, (uint64_t)call6(CALL_GETPID, 0, 0, 0, 0, 0, 0), 9, 0, 0);
            }
            exit_program(0);
        }
        written[PAGE]++;
        call(CALL_WAIT4, (uint64_t)child, 0, 0, 0);
    }
    start_thread((uint64_t)end, 0, (uint64_t)(stack + sizeof stack), &identifier);
    join_thread(&identifier);
}

int balance(void)
{
    static const struct {
        const char *name;
        void (*use)(void);
    } parts[] = { { "files", use_files }, { "names", use_names }, { "memory", use_memory }, { "processes", use_processes } };
    int64_t free[2];
    int64_t promised[2];
    read_memory(&free[0], &promised[0]);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        // Once for what the kernel keeps for the next time.
        for (int round = 0; round < 12; round++) {
            if (round == 2) {
                read_memory(&free[0], &promised[0]);
            }
            parts[i].use();
        }
        read_memory(&free[1], &promised[1]);
        print(parts[i].name);
        print_line(" free", free[0] - free[1]);
        print_line("  promised", promised[1] - promised[0]);
    }
    return 0;
}
