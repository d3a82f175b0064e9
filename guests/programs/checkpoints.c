// SPDX-License-Identifier: Apache-2.0
//
// Programs that have a checkpoint. What they find after it is checked here; what
// differs from run to run is printed.

#include "files.h"
#include "futex.h"

enum {
    CALL_PIPE = 22,
    CALL_SCHED_YIELD = 24,
    CALL_NANOSLEEP = 35,
    CALL_FORK = 57,
    CALL_EXECVE = 59,
    CALL_WAIT4 = 61,
    CALL_FUTEX = 202,
    CALL_CLOCK_GETTIME = 228,
    CALL_GETRANDOM = 318,
};

enum { PROT_NONE = 0, PROT_READ = 1, PROT_WRITE = 2, MAP_SHARED = 1, MAP_PRIVATE = 2, MAP_ANONYMOUS = 0x20, MAP_NORESERVE = 0x4000, MREMAP_MAYMOVE = 1 };

#define PAGE 4096UL
#define PAGES 64
#define STACK 65536

static uint8_t data[PAGES * PAGE];
static const uint8_t constants[2 * PAGE] = { 1, 2, 3 };
static uint8_t stack[STACK] __attribute__((aligned(16)));
static volatile uint32_t gate, thread_id, thread_result;

static uint8_t *map(uint64_t size, uint64_t flags, int64_t descriptor)
{
    return (uint8_t *)call6(CALL_MMAP, 0, size, PROT_READ | PROT_WRITE, flags, (uint64_t)descriptor, 0);
}

static int64_t now(uint64_t clock)
{
    int64_t time[2];
    call(CALL_CLOCK_GETTIME, clock, (uint64_t)time, 0, 0);
    return time[0] * 1000000000 + time[1];
}

static void print_random(const char *name)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[8];
    char text[17] = { 0 };
    call(CALL_GETRANDOM, (uint64_t)bytes, sizeof bytes, 0, 0);
    for (unsigned i = 0; i < sizeof bytes; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    print(name);
    print(" ");
    print(text);
    print("\n");
}

// Reads /dev/hyperlight/ready and prints what it has, a string on each line.
static int64_t wait_for_run(uint64_t part)
{
    static char text[0x21000];
    int64_t size = 0;
    int64_t descriptor = call(CALL_OPEN, (uint64_t)"/dev/hyperlight/ready", O_RDONLY, 0, 0);
    int64_t count = descriptor;
    if (descriptor >= 0) {
        while ((count = call(CALL_READ, (uint64_t)descriptor, (uint64_t)text + (uint64_t)size, part, 0)) > 0) {
            size += count;
        }
        call(CALL_CLOSE, (uint64_t)descriptor, 0, 0, 0);
    }
    for (int64_t i = 0; i < size; i += (int64_t)length(text + i) + 1) {
        print("string ");
        print(text + i);
        print("\n");
    }
    return count;
}

static void wait_for_gate(void)
{
    while (gate == 0) {
        call6(CALL_FUTEX, (uint64_t)&gate, FUTEX_WAIT, 0, 0, 0, 0);
    }
    thread_result = gate + data[PAGE];
}

static void sleep_a_little(void)
{
    const int64_t time[2] = { 0, 30000000 };
    thread_result = call(CALL_NANOSLEEP, (uint64_t)time, 0, 0, 0) == 0;
}

// Memory of every kind that was there before the checkpoint.
static void check_memory(uint8_t *private_map, uint8_t *shared, int64_t file, uint8_t *closed, uint8_t *moved)
{
    uint8_t bytes[4] = { 0 };
    print_line("data", data[0] + data[PAGE] + data[(PAGES - 1) * PAGE]);
    print_line("constants", constants[0] + constants[2] + constants[PAGE]);
    data[PAGE]++;
    private_map[3 * PAGE] += 2;
    print_line("written", data[PAGE] + private_map[3 * PAGE] + private_map[0]);
    // The same page, whichever way it is written.
    shared[1] = 7;
    call(CALL_PWRITE64, (uint64_t)file, (uint64_t)"x", 1, 0);
    call6(CALL_PWRITE64, (uint64_t)file, (uint64_t)"y", 1, 2, 0, 0);
    call6(CALL_PREAD64, (uint64_t)file, (uint64_t)bytes, 4, 0, 0, 0);
    print_line("file", bytes[0] * 1000000 + bytes[1] * 1000 + bytes[2]);
    print_line("mapping", shared[0] * 1000000 + shared[1] * 1000 + shared[2]);
    call(CALL_MPROTECT, (uint64_t)closed, PAGE, PROT_READ | PROT_WRITE, 0);
    print_line("opened", closed[0]++);
    uint8_t *elsewhere = (uint8_t *)call6(CALL_MREMAP, (uint64_t)moved, 2 * PAGE, 64 * PAGE, MREMAP_MAYMOVE, 0, 0);
    print_line("moved", elsewhere[0] + elsewhere[PAGE] + elsewhere[2 * PAGE]);
    // A page that the kernel reads before the program does.
    call(CALL_WRITE, 1, (uint64_t)data + 9 * PAGE, 8, 0);
}

static void check_processes(void)
{
    int32_t status = 0;
    int64_t child = call(CALL_FORK, 0, 0, 0, 0);
    if (child == 0) {
        data[20 * PAGE]++;
        exit_program(data[20 * PAGE] + data[21 * PAGE]);
    }
    call(CALL_WAIT4, (uint64_t)child, (uint64_t)&status, 0, 0);
    print_line("child", status >> 8);
    print_line("parent", data[20 * PAGE]);
}

static int ready(void)
{
    int32_t pipe[2];
    char text[16] = { 0 };
    for (uint64_t i = 0; i < PAGES; i++) {
        data[i * PAGE] = (uint8_t)(i + 1);
    }
    for (unsigned i = 0; i < 8; i++) {
        data[9 * PAGE + i] = (uint8_t)"kernel!\n"[i];
    }
    uint8_t *private_map = map(8 * PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    uint8_t *closed = map(PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    uint8_t *moved = map(2 * PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    private_map[0] = 5;
    private_map[3 * PAGE] = 6;
    closed[0] = 11;
    moved[0] = 12;
    moved[PAGE] = 13;
    call(CALL_MPROTECT, (uint64_t)closed, PAGE, PROT_NONE, 0);
    int64_t file = call(CALL_OPEN, (uint64_t)"/tmp/mapped", O_RDWR | O_CREAT, 0600, 0);
    call(CALL_FTRUNCATE, (uint64_t)file, PAGE, 0, 0);
    uint8_t *shared = map(PAGE, MAP_SHARED, file);
    shared[0] = 1;
    call(CALL_PIPE, (uint64_t)pipe, 0, 0, 0);
    call(CALL_WRITE, (uint64_t)pipe[1], (uint64_t)"in a pipe", 9, 0);
    start_thread((uint64_t)wait_for_gate, 0, (uint64_t)stack + STACK, &thread_id);
    call(CALL_SCHED_YIELD, 0, 0, 0, 0);
    volatile double sum = 0.5;
    int64_t before = now(1);
    print_random("random before");

    int64_t result = wait_for_run(100);

    print_line("result", result);
    print_random("random");
    print_line("clock", now(1) >= before && now(1) - before < 1000000000000 && now(0) > 1500000000000000000);
    print_line("sum", (int64_t)(sum * 10));
    call(CALL_READ, (uint64_t)pipe[0], (uint64_t)text, sizeof text, 0);
    print_line("pipe", equal(text, "in a pipe"));
    gate = 40;
    call6(CALL_FUTEX, (uint64_t)&gate, FUTEX_WAKE, 1, 0, 0, 0);
    join_thread(&thread_id);
    print_line("thread", thread_result);
    check_memory(private_map, shared, file, closed, moved);
    check_processes();
    return 3;
}

// A thread sleeps at the checkpoint.
static int sleeping(void)
{
    start_thread((uint64_t)sleep_a_little, 0, (uint64_t)stack + STACK, &thread_id);
    call(CALL_SCHED_YIELD, 0, 0, 0, 0);
    wait_for_run(4096);
    join_thread(&thread_id);
    print_line("slept", thread_result);
    return 0;
}

// A child lives at the checkpoint, which is refused then.
static int busy(void)
{
    int32_t pipe[2];
    char byte;
    call(CALL_PIPE, (uint64_t)pipe, 0, 0, 0);
    int64_t child = call(CALL_FORK, 0, 0, 0, 0);
    if (child == 0) {
        call(CALL_READ, (uint64_t)pipe[0], (uint64_t)&byte, 1, 0);
        exit_program(0);
    }
    print_line("refused", wait_for_run(4096));
    call(CALL_WRITE, (uint64_t)pipe[1], (uint64_t)"x", 1, 0);
    call(CALL_WAIT4, (uint64_t)child, 0, 0, 0);
    print_line("result", wait_for_run(4096));
    return 0;
}

// What the run is handed, and a task for each run that ends in another way.
static int serve(void)
{
    char task[16] = { 0 };
    static char contents[64];
    wait_for_run(4096);
    call(CALL_READ, 0, (uint64_t)task, sizeof task - 1, 0);
    if (equal(task, "crash")) {
        *(volatile int *)0 = 1;
    }
    if (equal(task, "loop")) {
        for (;;) {
            __asm__ volatile("" : : : "memory");
        }
    }
    int64_t file = call(CALL_OPEN, (uint64_t)"/in/text", O_RDONLY, 0, 0);
    if (file >= 0) {
        call(CALL_READ, (uint64_t)file, (uint64_t)contents, sizeof contents - 1, 0);
        print(contents);
        print("\n");
    }
    print_line("count", ++data[0]);
    return 0;
}

// Calls of the kernel with pointers into constants, many times; then memory is written.
static void repeat_calls(void)
{
    static const char text[] = "/nothing is there";
    for (unsigned i = 0; i < 5000; i++) {
        call(CALL_OPEN, (uint64_t)text, O_RDONLY, 0, 0);
    }
}

// Writes all of its memory again, or as much other memory, as the standard input says.
static int memory(void)
{
    enum { OLD_PAGES = 1024, NEW_PAGES = 600 };
    char task[16] = { 0 };
    uint8_t *old = map(OLD_PAGES * PAGE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
    for (uint64_t i = 0; i < OLD_PAGES; i++) {
        old[i * PAGE] = 1;
    }
    wait_for_run(4096);
    call(CALL_READ, 0, (uint64_t)task, sizeof task - 1, 0);
    int64_t count = 0;
    if (equal(task, "calls")) {
        repeat_calls();
    }
    if (!equal(task, "map")) {
        for (uint64_t i = 0; i < OLD_PAGES; i++) {
            count += ++old[i * PAGE] == 2;
        }
        print_line("written", count);
    } else {
        uint8_t *new = map(NEW_PAGES * PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
        for (uint64_t i = 0; i < NEW_PAGES; i++) {
            count += ++new[i * PAGE] == 1;
        }
        print_line("new", count);
    }
    return 0;
}

// A file that is mapped before the checkpoint changes after it, before its pages are used.
static int changing_file(void)
{
    static const char path[] = "/tmp/changing";
    int64_t file = call(CALL_OPEN, (uint64_t)path, O_RDWR | O_CREAT, 0600, 0);
    call6(CALL_PWRITE64, (uint64_t)file, (uint64_t)"A", 1, 0, 0, 0);
    call6(CALL_PWRITE64, (uint64_t)file, (uint64_t)"A", 1, PAGE, 0, 0);
    call(CALL_FTRUNCATE, (uint64_t)file, 2 * PAGE, 0, 0);
    volatile uint8_t *pages = map(2 * PAGE, MAP_PRIVATE, file);
    // One of the image, that everybody may write, if there is one.
    int64_t other = call(CALL_OPEN, (uint64_t)"/writable", O_RDWR, 0, 0);
    volatile uint8_t *image = other >= 0 ? map(2 * PAGE, MAP_PRIVATE, other) : pages;
    int64_t reader = call(CALL_OPEN, (uint64_t)"/writable", O_RDONLY, 0, 0);
    int64_t shared = call6(CALL_MMAP, 0, 2 * PAGE, PROT_READ, MAP_SHARED, (uint64_t)reader, 0);
    volatile uint8_t *shown = shared > 0 ? (volatile uint8_t *)shared : pages;
    wait_for_run(4096);
    print_line("shown", shown[0]);
    call6(CALL_PWRITE64, (uint64_t)file, (uint64_t)"B", 1, 0, 0, 0);
    call6(CALL_PWRITE64, (uint64_t)file, (uint64_t)"B", 1, PAGE, 0, 0);
    pages[1] = 1;
    print_line("written", pages[0]);
    print_line("read", pages[PAGE]);
    print_line("before", image[PAGE]);
    call6(CALL_PWRITE64, (uint64_t)other, (uint64_t)"C", 1, 0, 0, 0);
    call6(CALL_PWRITE64, (uint64_t)other, (uint64_t)"C", 1, PAGE, 0, 0);
    print_line("image", image[0]);
    print_line("shown", shown[0]);
    // The kernel and the program see the same.
    call(CALL_WRITE, 1, (uint64_t)&image[PAGE], 1, 0);
    print_line(" after", image[PAGE]);
    return 0;
}

// A child and another program use the same addresses for something else.
static int other_spaces(void)
{
    static const char *const arguments[] = { "program", "hello", NULL };
    static const char *const environment[] = { NULL };
    int32_t status = 0;
    wait_for_run(4096);
    int64_t child = call(CALL_FORK, 0, 0, 0, 0);
    if (child == 0) {
        data[PAGE]++;
        call(CALL_EXECVE, (uint64_t)"/proc/self/exe", (uint64_t)arguments, (uint64_t)environment, 0);
        exit_program(1);
    }
    call(CALL_WAIT4, (uint64_t)child, (uint64_t)&status, 0, 0);
    print_line("child", status >> 8);
    print_line("count", ++data[PAGE]);
    return 0;
}

// Another program in the same process, in an address space of its own.
static int execute_ready(void)
{
    const char *const arguments[] = { "program", "ready", NULL };
    const char *const environment[] = { NULL };
    return (int)call(CALL_EXECVE, (uint64_t)"/proc/self/exe", (uint64_t)arguments, (uint64_t)environment, 0);
}

int checkpoints(const char *name)
{
    if (equal(name, "ready-execute")) {
        return execute_ready();
    }
    if (equal(name, "ready")) {
        return ready();
    }
    if (equal(name, "ready-sleeping")) {
        return sleeping();
    }
    if (equal(name, "ready-busy")) {
        return busy();
    }
    if (equal(name, "ready-memory")) {
        return memory();
    }
    if (equal(name, "ready-changing-file")) {
        return changing_file();
    }
    if (equal(name, "ready-other-spaces")) {
        return other_spaces();
    }
    if (equal(name, "ready-serve")) {
        return serve();
    }
    return -1;
}
