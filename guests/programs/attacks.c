// SPDX-License-Identifier: Apache-2.0
//
// What has once led the kernel astray: each is one system call, or a few, with the results that Linux has.

#include "storm.h"

#include "files.h"
#include "futex.h"
#include "signals.h"

enum { CALL_FORK = 57, CALL_WAIT4 = 61, CALL_FUTEX = 202, CALL_YIELD = 24, CALL_TGKILL = 234, CALL_GETTID = 186,
       CALL_SIGPROCMASK = 14, CALL_SIGTIMEDWAIT = 128, CALL_CLONE = 56 };

#define PAGE 4096UL
#define MAP_PRIVATE_FIXED_ANONYMOUS 0x32

static uint8_t stack[2][16384] __attribute__((aligned(16)));
static volatile uint32_t identifiers[2];

static uint64_t map_memory(uint64_t size, uint64_t protection, uint64_t flags, int64_t file)
{
    return (uint64_t)call6(CALL_MMAP, 0, size, protection, flags, (uint64_t)file, 0);
}

// Memory that may only be written can be read, before and after it was written, and after a fork.
static int write_only_memory(void)
{
    const int64_t file = call(CALL_MEMFD_CREATE, (uint64_t)"text", 0, 0, 0);
    write_text(file, "some text");
    call(CALL_FTRUNCATE, (uint64_t)file, 2 * PAGE, 0, 0);
    volatile char *of_file = (volatile char *)map_memory(2 * PAGE, 2, 2, file);
    print_line("file", of_file[3]);
    of_file[3] = 'x';
    print_line("file", of_file[3]);
    volatile char *memory = (volatile char *)map_memory(PAGE, 3, 0x22, -1);
    memory[5] = 7;
    int64_t child = call6(CALL_FORK, 0, 0, 0, 0, 0, 0);
    call(CALL_MPROTECT, (uint64_t)memory, PAGE, 2, 0);
    if (child == 0) {
        exit_program(memory[5]);
    }
    uint32_t status = 0;
    call(CALL_WAIT4, (uint64_t)child, (uint64_t)&status, 0, 0);
    print_line("status", status);
    print_line("memory", memory[5]);
    return 0;
}

// The heap does not grow over a mapping, nor does it end one.
static int heap_beside_mapping(void)
{
    const uint64_t start = ((uint64_t)call(CALL_BRK, 0, 0, 0, 0) + PAGE - 1) & ~(PAGE - 1);
    uint64_t end = (uint64_t)call(CALL_BRK, start + PAGE, 0, 0, 0);
    volatile char *mapping = (volatile char *)(start + PAGE);
    call6(CALL_MMAP, (uint64_t)mapping, 4 * PAGE, 3, MAP_PRIVATE_FIXED_ANONYMOUS, (uint64_t)-1, 0);
    mapping[3 * PAGE] = 1;
    print_line("grown", call(CALL_BRK, end + 2 * PAGE, 0, 0, 0) - (int64_t)start);
    print_line("grown", call(CALL_BRK, end + 8 * PAGE, 0, 0, 0) - (int64_t)start);
    print_line("mapping", mapping[3 * PAGE]);
    return 0;
}

static volatile uint32_t *shared_word;

static void wait_for_word(uint64_t address)
{
    call6(CALL_FUTEX, address, FUTEX_WAIT, 0, 0, 0, 0);
}

// From a word to the same one at another address.
static int requeue_same_word(void)
{
    const int64_t file = call(CALL_MEMFD_CREATE, (uint64_t)"word", 0, 0, 0);
    call(CALL_FTRUNCATE, (uint64_t)file, PAGE, 0, 0);
    shared_word = (volatile uint32_t *)map_memory(PAGE, 3, 1, file);
    volatile uint32_t *other = (volatile uint32_t *)map_memory(PAGE, 3, 1, file);
    start_thread((uint64_t)wait_for_word, (uint64_t)shared_word, (uint64_t)stack[1], &identifiers[0]);
    int64_t moved;
    do {
        call(CALL_YIELD, 0, 0, 0, 0);
        moved = call6(CALL_FUTEX, (uint64_t)shared_word, FUTEX_REQUEUE, 0, 0x7FFFFFFF, (uint64_t)other, 0);
    } while (moved == 0);
    print_line("moved", moved);
    print_line("woken", call6(CALL_FUTEX, (uint64_t)other, FUTEX_WAKE, 1, 0, 0, 0));
    join_thread(&identifiers[0]);
    return 0;
}

static volatile int64_t waiter;
static volatile int64_t wait_result;

static void ignore(int signal)
{
    (void)signal;
}

static void wait_for_signal(uint64_t unused)
{
    const uint64_t set = 1UL << 9;
    static const uint64_t time[2] = { 5, 0 };
    (void)unused;
    call6(CALL_SIGPROCMASK, 0, (uint64_t)&set, 0, 8, 0, 0);
    waiter = call6(CALL_GETTID, 0, 0, 0, 0, 0, 0);
    wait_result = call6(CALL_SIGTIMEDWAIT, (uint64_t)&set, 0, (uint64_t)time, 8, 0, 0);
}

// One thread waits for a signal that is pending for another one, which cannot take it yet, and has another signal.
static int signal_of_another_thread(void)
{
    int64_t process = call6(CALL_GETPID, 0, 0, 0, 0, 0, 0);
    set_handler(10, (uint64_t)ignore, 0, 0);
    set_handler(12, (uint64_t)ignore, 0, 0);
    start_thread((uint64_t)wait_for_signal, 0, (uint64_t)stack[1], &identifiers[0]);
    while (waiter == 0) {
        call(CALL_YIELD, 0, 0, 0, 0);
    }
    call(CALL_YIELD, 0, 0, 0, 0);
    // A child of vfork sends both, while its parent waits for it.
    int64_t child = call6(CALL_CLONE, 0x4000 | 17, 0, 0, 0, 0, 0);
    if (child == 0) {
        call6(CALL_KILL, (uint64_t)process, 10, 0, 0, 0, 0);
        call6(CALL_TGKILL, (uint64_t)process, (uint64_t)waiter, 12, 0, 0, 0);
        for (int i = 0; i < 10; i++) {
            call(CALL_YIELD, 0, 0, 0, 0);
        }
        exit_program(0);
    }
    join_thread(&identifiers[0]);
    // On Linux another thread can take the signal of the process first.
    print_line("ended", wait_result == -4 || wait_result == 10);
    return 0;
}

// More links to descriptors are kept than are looked up at a time.
static int kept_links(void)
{
    static const char *const names[] = { "/", "/tmp", "/dev" };
    static char path[] = "/proc/self/fd/000";
    int64_t links[24];
    print_line("linked", call6(CALL_LINKAT, AT_FDCWD, (uint64_t)"/proc/self/fd/0", AT_FDCWD, (uint64_t)"/tmp/link-to-0", 0, 0));
    for (unsigned i = 0; i < 24; i++) {
        int64_t file = open_file(names[i % 3], O_RDONLY | O_DIRECTORY, 0);
        path[14] = (char)('0' + file / 10);
        path[15] = (char)('0' + file % 10);
        path[16] = 0;
        if (file < 10) {
            path[14] = (char)('0' + file);
            path[15] = 0;
        }
        links[i] = open_file(path, O_PATH | O_NOFOLLOW, 0);
    }
    for (unsigned i = 0; i < 24; i++) {
        char target[64] = { 0 };
        print_line(target, call(CALL_READLINKAT, (uint64_t)links[i], (uint64_t)"", (uint64_t)target, sizeof target));
        print(target);
        print("\n");
        close_file(links[i]);
    }
    return 0;
}

// Looking for data in a file that is one hole does not take as long as the hole is large.
static int sparse_file(void)
{
    const uint64_t size = 1UL << 39;
    if (enter_directory() != 0) {
        return 1;
    }
    int64_t file = open_file("sparse", O_RDWR | O_CREAT, 0666);
    print_line("size", call(CALL_FTRUNCATE, (uint64_t)file, size, 0, 0));
    print_line("data", call(CALL_LSEEK, (uint64_t)file, 0, 3, 0));
    print_line("hole", call(CALL_LSEEK, (uint64_t)file, 12345, 4, 0));
    call(CALL_PWRITE64, (uint64_t)file, (uint64_t)"x", 1, size / 2);
    print_line("data", call(CALL_LSEEK, (uint64_t)file, 5, 3, 0));
    print_line("hole", call(CALL_LSEEK, (uint64_t)file, size / 2 + 1, 4, 0));
    print_line("data", call(CALL_LSEEK, (uint64_t)file, size / 2 + 4096, 3, 0));
    close_file(file);
    return leave_directory();
}

// Of two numbers for an eventfd the first one counts: the second one would wait for ever. Later versions of Linux refuse both.
static int long_event(void)
{
    const uint64_t numbers[2] = { 1, ~1UL };
    uint64_t value = 0;
    int64_t event = call(290, 0, 0, 0, 0);
    print_line("written", call(CALL_WRITE, (uint64_t)event, (uint64_t)numbers, sizeof numbers, 0));
    print_line("read", call(CALL_READ, (uint64_t)event, (uint64_t)&value, sizeof value, 0));
    print_line("value", (int64_t)value);
    return 0;
}

static volatile uint64_t trap;

static void note_trap(int signal, const struct info *info, struct context *context)
{
    extern const char after_far_return[];
    (void)info;
    trap = (uint64_t)signal;
    context->rsp = context->rbx;
    context->rip = (uint64_t)after_far_return;
}

// The segments to which a far return leads: SIGTRAP where the instruction there was executed.
__attribute__((noinline)) static int far_returns(void)
{
    set_handler(5, (uint64_t)note_trap, SA_SIGINFO, 0);
    set_handler(7, (uint64_t)note_trap, SA_SIGINFO, 0);
    set_handler(11, (uint64_t)note_trap, SA_SIGINFO, 0);
    for (uint64_t selector = 0; selector < 0x80; selector++) {
        trap = 0;
        __asm__ volatile("mov %%rsp, %%rbx\n\t"
                         "push %0\n\t"
                         "lea 1f(%%rip), %%rax\n\t"
                         "push %%rax\n\t"
                         "lretq\n"
                         "1:\n\t"
                         "int3\n"
                         ".globl after_far_return\n"
                         "after_far_return:\n"
                         : : "r"(selector) : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc");
        if (trap == 5) {
            print_line("segment", (int64_t)selector);
        }
    }
    return 0;
}

int attacks(const char *name)
{
    static const struct {
        const char *name;
        int (*run)(void);
    } commands[] = {
        { "write-only-memory", write_only_memory },
        { "heap-beside-mapping", heap_beside_mapping },
        { "requeue-same-word", requeue_same_word },
        { "signal-of-another-thread", signal_of_another_thread },
        { "kept-links", kept_links },
        { "sparse-file", sparse_file },
        { "far-returns", far_returns },
        { "long-event", long_event },
    };
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (equal(name, commands[i].name)) {
            return commands[i].run();
        }
    }
    return -1;
}
