// SPDX-License-Identifier: Apache-2.0
//
// What a hostile program does, at random from a seed: all system calls with bad arguments, in several threads and
// processes that share memory and files; forged frames of handlers; random machine code. Not for a machine's own kernel.

#include "storm.h"

#include "chance.h"
#include "files.h"
#include "signals.h"

enum { CALL_EXECVE = 59, CALL_RT_SIGRETURN = 15, CALL_SIGALTSTACK = 131, CALL_SETITIMER = 38, CALL_FORK = 57, CALL_WAIT4 = 61 };

#define MOST_STORM_THREADS 4
// A stack for handlers, at whose start the state of the thread is, then a stack.
#define THREAD_SIZE 0x10000UL
#define THREADS_START 0x20000000UL
#define ARENA 0x30000000UL
#define ARENA_SIZE 0x10000UL

struct storm_thread {
    uint64_t random;
    uint32_t left;
    uint32_t depth;
};

// Instead of system calls.
static int only_code;

static struct storm_thread *thread_at(uint64_t address)
{
    return (struct storm_thread *)(address & ~(THREAD_SIZE - 1));
}

static uint64_t next(struct storm_thread *thread)
{
    return next_random(&thread->random) * 0x2545F4914F6CDD1DUL >> 11;
}

static const char *const paths[] = {
    "/tmp", "/tmp/a", "/tmp/b", "/tmp/d", "/tmp/d/a", "/tmp/d/e", "/tmp/d/e/f", "/tmp/../tmp/a/", "a", "d", "d/e", "..", ".", "/", "",
    "/proc/self/fd/0", "/proc/self/fd/3", "/proc/self/fd/4", "/proc/self/fd", "/proc/self/exe", "/proc/self/cwd/a", "/proc/self/maps",
    "/proc/self/root/tmp", "/proc/meminfo", "/dev/zero", "/dev/full", "/dev/random", "/dev/null", "/dev/shm/x", "/dev/fd/5", "//tmp//d//",
};

static uint64_t address(struct storm_thread *thread)
{
    switch (next(thread) % 16) {
    case 0:
        return next(thread);
    case 1:
        return 0x400000 + next(thread) % 0x20 * 0x1000;
    case 2:
        return 0x7FFFFFFFF000UL - next(thread) % 0x4000 * 0x1000;
    case 3:
        return 0xFFFF800000000000UL + (next(thread) << 12 & 0x7FFFFFFFFFFFUL);
    case 4:
        return (uint64_t)paths[next(thread) % (sizeof paths / sizeof paths[0])];
    case 5:
        return ARENA + ARENA_SIZE + next(thread) % 0x100 * 0x1000;
    case 6:
        return ARENA + next(thread) % 16 * 0x1000;
    case 7:
        return ARENA + next(thread) % 16 * 0x1000 - next(thread) % 16;
    default:
        return ARENA + next(thread) % (ARENA_SIZE - 64);
    }
}

static uint64_t argument(struct storm_thread *thread)
{
    switch (next(thread) % 12) {
    case 0:
        return 1UL << next(thread) % 64;
    case 1:
        return (1UL << next(thread) % 64) - 1;
    case 2:
        return next(thread) % 0x100 * 0x1000;
    case 3:
        return -(next(thread) % 200);
    case 4:
        return next(thread) % 4096;
    case 5:
        return (uint64_t)paths[next(thread) % (sizeof paths / sizeof paths[0])];
    case 6:
    case 7:
    case 8:
        return next(thread) % 12;
    default:
        return address(thread);
    }
}

// Structures for system calls: words that are numbers, addresses, paths.
static void fill_arena(struct storm_thread *thread)
{
    uint64_t *words = (uint64_t *)(ARENA + next(thread) % (ARENA_SIZE - 512) / 8 * 8);
    for (unsigned i = next(thread) % 64; i > 0; i--) {
        words[i] = argument(thread);
    }
}

static uint64_t choose_call(struct storm_thread *thread)
{
    // Those that have the most to go wrong.
    static const uint16_t frequent[] = { 9, 9, 9, 10, 11, 25, 28, 12, 2, 257, 257, 3, 32, 33, 72, 22, 293, 53, 20, 19, 0, 1, 17, 18, 56, 57,
                                         82, 316, 83, 84, 86, 87, 88, 265, 77, 285, 326, 40, 217, 8, 213, 233, 232, 290, 202, 202, 202,
                                         13, 14, 131, 128, 130, 222, 223, 226, 234, 62, 61, 247, 273, 319, 80, 81, 7, 271, 23, 270, 435, 27 };
    uint64_t number = next(thread) % 2 == 0 ? frequent[next(thread) % (sizeof frequent / sizeof frequent[0])] : next(thread) % 460;
    // What ends the thread or the program at once is left to the chance of the others.
    int ends = number == 60 || number == 231 || number == 34 || number == CALL_RT_SIGRETURN;
    return ends && next(thread) % 16 != 0 ? 24 : number;
}

static void call_at_random(struct storm_thread *thread)
{
    uint64_t number = choose_call(thread);
    uint64_t a[6];
    for (unsigned i = 0; i < 6; i++) {
        a[i] = argument(thread);
    }
    switch (number) {
    case 9:
        // Mostly of a size that there is memory for, and where it takes little away.
        a[0] = next(thread) % 4 == 0 ? 0 : ARENA + ARENA_SIZE + next(thread) % 0x100 * 0x1000;
        a[1] = next(thread) % 8 == 0 ? a[1] : next(thread) % 16 * 0x1000;
        a[2] = next(thread) % 8;
        a[3] = (next(thread) % 3 + 1) | (next(thread) % 2 ? 0x20 : 0) | (next(thread) % 2 ? 0x10 : 0) | (next(thread) % 4 == 0 ? a[3] : 0);
        a[4] = next(thread) % 12;
        a[5] = next(thread) % 2 ? 0 : a[5];
        break;
    case 10:
    case 11:
    case 25:
    case 28:
        a[0] = next(thread) % 16 == 0 ? a[0] : ARENA + ARENA_SIZE + next(thread) % 0x100 * 0x1000;
        a[1] = next(thread) % 8 == 0 ? a[1] : next(thread) % 16 * 0x1000;
        break;
    case 56:
        // A thread or a process on a stack that the arena has.
        a[0] = next(thread) % 2 == 0 ? 17 : a[0];
        break;
    case 62:
        a[0] = next(thread) % 4 == 0 ? a[0] : 1000 + next(thread) % 8;
        a[1] = next(thread) % 8 == 0 ? a[1] : 10 + next(thread) % 4;
        break;
    case 202:
        a[0] &= ~3UL;
        a[1] = next(thread) % 12;
        break;
    default:
        break;
    }
    int64_t result = call6(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    if (result == 0 && (number == 56 || number == 57 || number == 58 || number == 435)) {
        // A child does the rest.
        thread->left = thread->left < 20 ? thread->left : 20;
        thread->random += thread->depth++;
    }
}

static void storm(struct storm_thread *thread);

// After a fault: from the start, on an empty stack.
__attribute__((used, noreturn)) static void recovered(struct storm_thread *thread)
{
    storm(thread);
    for (;;) {
        call6(CALL_EXIT, 0, 0, 0, 0, 0, 0);
    }
}

static void forge(struct storm_thread *thread, struct context *context)
{
    uint64_t *words = (uint64_t *)context;
    for (unsigned i = next(thread) % 4; i > 0; i--) {
        words[next(thread) % (sizeof *context / 8)] = argument(thread);
    }
    uint32_t *image = (uint32_t *)(context->vectors & ~63UL);
    if (next(thread) % 2 == 0 && context->vectors >= THREADS_START && context->vectors < ARENA + ARENA_SIZE - 0x1000) {
        image[next(thread) % 3 == 0 ? 6 : 128 + next(thread) % 16] = (uint32_t)argument(thread);
    }
    context->rflags = next(thread) % 4 == 0 ? next(thread) : context->rflags;
}

static void handler(int signal, const struct info *info, struct context *context)
{
    (void)info;
    struct storm_thread *thread = thread_at((uint64_t)context);
    int is_fault = signal == 4 || signal == 5 || signal == 7 || signal == 8 || signal == 11;
    if (!only_code && next(thread) % (is_fault ? 16 : 4) == 0) {
        forge(thread, context);
    }
    if (is_fault) {
        context->rip = (uint64_t)recovered;
        context->rdi = (uint64_t)thread;
        context->rsp = (uint64_t)thread + THREAD_SIZE - 8;
        context->rflags &= next(thread) % 16 == 0 ? ~0UL : ~0x40100UL;
    }
    context->mask = 0;
}

// A return from a handler that there was none of, with a frame of the arena.
static void return_from_nothing(struct storm_thread *thread)
{
    struct context *context = (struct context *)(ARENA + 0x4000);
    uint8_t *bytes = (uint8_t *)context;
    for (size_t i = 0; i < sizeof *context; i++) {
        bytes[i] = 0;
    }
    context->segments = 0x002B000000000033UL;
    context->rip = (uint64_t)recovered;
    context->rdi = (uint64_t)thread;
    context->rsp = (uint64_t)thread + THREAD_SIZE - 8;
    context->vectors = next(thread) % 2 == 0 ? 0 : ARENA + 0x5000;
    forge(thread, context);
    __asm__ volatile("mov %0, %%rsp; mov $15, %%eax; syscall; ud2" : : "r"((uint64_t)context) : "rax", "memory");
}

static void execute(struct storm_thread *thread, const uint8_t *code)
{
    register uint64_t rcx __asm__("rcx") = argument(thread);
    __asm__ volatile("push %%rbx; push %%rbp; call *%1; pop %%rbp; pop %%rbx"
                     : "+r"(rcx)
                     : "r"(code), "a"(argument(thread)), "d"(argument(thread)), "D"(address(thread)), "S"(address(thread))
                     : "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory", "cc");
    __asm__ volatile("cld");
}

// Instructions of random bytes, or those that change the processor's state.
static void execute_at_random(struct storm_thread *thread)
{
    static const uint8_t hostile[][8] = {
        { 0x0F, 0x01, 0xD1 }, { 0x0F, 0x22, 0xC0 }, { 0x0F, 0x30 }, { 0x0F, 0x32 }, { 0xF4 }, { 0xFA }, { 0xFB }, { 0xEE }, { 0xEC }, { 0xCF },
        { 0x0F, 0x01, 0xF8 }, { 0x0F, 0x07 }, { 0x0F, 0x34 }, { 0x0F, 0x35 }, { 0x0F, 0x01, 0xC1 }, { 0x0F, 0x01, 0xD9 }, { 0xCD, 0x80 },
        { 0xCD, 0x0E }, { 0xCC }, { 0xF1 }, { 0x9D }, { 0x48, 0xCF }, { 0x48, 0xCB }, { 0x8E, 0xD8 }, { 0x8E, 0xC0 }, { 0x8E, 0xE0 }, { 0x8E, 0xE8 },
        { 0x8E, 0xD0 }, { 0x0F, 0x00, 0xD8 }, { 0x0F, 0x01, 0x10 }, { 0x0F, 0x01, 0x18 }, { 0x0F, 0xAE, 0x08 }, { 0x0F, 0xAE, 0x28 },
        { 0x0F, 0xAE, 0x10 }, { 0xDB, 0xE3 }, { 0x9B }, { 0xD9, 0x28 }, { 0x0F, 0xC7, 0x18 }, { 0xF3, 0x48, 0x0F, 0xAE, 0xD0 }, { 0x0F, 0x05 },
        { 0x48, 0x0F, 0x05 }, { 0xFC }, { 0xFD }, { 0x0F, 0x09 }, { 0x0F, 0x08 }, { 0x0F, 0x01, 0x38 }, { 0x0F, 0x33 }, { 0x0F, 0xAE, 0x38 },
    };
    uint8_t *code = (uint8_t *)(ARENA + 0x8000 + next(thread) % 0xF00);
    size_t size = 0;
    for (unsigned i = next(thread) % 6 + 1; i > 0; i--) {
        const uint8_t *chosen = hostile[next(thread) % (sizeof hostile / sizeof hostile[0])];
        for (unsigned j = 0; j < 5 && (j == 0 || chosen[j] != 0); j++) {
            code[size++] = next(thread) % 32 == 0 ? (uint8_t)next(thread) : chosen[j];
        }
        if (next(thread) % 3 == 0) {
            code[size++] = (uint8_t)next(thread);
        }
    }
    code[size++] = 0xC3;
    execute(thread, code);
}

static void become_another(struct storm_thread *thread)
{
    static char seed[16];
    uint64_t value = next(thread) % 1000000;
    unsigned length = 0;
    do {
        seed[length++] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    seed[length] = 0;
    const char *const arguments[] = { "program", "storm", seed, "30", NULL };
    const char *const environment[] = { NULL };
    call6(CALL_EXECVE, (uint64_t)"/proc/self/exe", (uint64_t)arguments, (uint64_t)environment, 0, 0, 0);
}

// Bytes that are rarely more than one instruction, and mostly one of two bytes or with a prefix.
static void execute_bytes(struct storm_thread *thread)
{
    static const uint8_t first[] = { 0x0F, 0x0F, 0x0F, 0x66, 0xF2, 0xF3, 0x48, 0x4C, 0xC4, 0xC5, 0xD8, 0xD9, 0xDB, 0xDD, 0xDF, 0x62, 0xF0, 0x64 };
    uint8_t *code = (uint8_t *)(ARENA + 0x8000);
    for (unsigned i = 0; i < 16; i++) {
        code[i] = (uint8_t)next(thread);
    }
    if (next(thread) % 4 != 0) {
        code[0] = first[next(thread) % sizeof first];
        code[1] = code[0] != 0x0F && next(thread) % 2 == 0 ? 0x0F : code[1];
    }
    code[16] = 0xC3;
    execute(thread, code);
}

static void storm(struct storm_thread *thread)
{
    while (thread->left-- != 0) {
        if (only_code) {
            execute_bytes(thread);
            continue;
        }
        switch (next(thread) % 64) {
        case 0:
            return_from_nothing(thread);
            break;
        case 1:
        case 2:
            execute_at_random(thread);
            break;
        case 3:
            if (next(thread) % 8 == 0 && thread->depth != 0) {
                become_another(thread);
            }
            break;
        case 4:
            call6(CALL_KILL, (uint64_t)call6(CALL_GETPID, 0, 0, 0, 0, 0, 0), 10, 0, 0, 0, 0);
            break;
        case 5:
        case 6:
        case 7:
        case 8:
        case 9:
        case 10:
            fill_arena(thread);
            break;
        default:
            call_at_random(thread);
        }
        // Again and again, because the calls change it.
        if (thread->left % 32 == 0) {
            const struct stack stack = { (uint64_t)thread + 64, 0, 0x8000 };
            call6(CALL_SIGALTSTACK, (uint64_t)&stack, 0, 0, 0, 0, 0);
        }
    }
    thread->left = 0;
}

static void storm_of_thread(uint64_t index)
{
    struct storm_thread *thread = (struct storm_thread *)(THREADS_START + index * THREAD_SIZE);
    const struct stack stack = { (uint64_t)thread + 64, 0, 0x8000 };
    call6(CALL_SIGALTSTACK, (uint64_t)&stack, 0, 0, 0, 0, 0);
    storm(thread);
}

static void make_files(void)
{
    call(CALL_CHDIR, (uint64_t)"/tmp", 0, 0, 0);
    call(CALL_MKDIR, (uint64_t)"d", 0777, 0, 0);
    call(CALL_MKDIR, (uint64_t)"d/e", 0777, 0, 0);
    call(CALL_SYMLINK, (uint64_t)"../a", (uint64_t)"d/a", 0, 0);
    call(CALL_SYMLINK, (uint64_t)"../../d", (uint64_t)"d/e/f", 0, 0);
    int64_t file = open_file("a", O_RDWR | O_CREAT, 0666);
    call(CALL_FTRUNCATE, (uint64_t)file, 0x5000, 0, 0);
    open_file("d", O_RDONLY | O_DIRECTORY, 0);
    call(22, THREADS_START, 0, 0, 0);
    call(53, 1, 1, 0, THREADS_START);
    call(290, 0, 0, 0, 0);
    call(213, 1, 0, 0, 0);
}

int storms(uint64_t seed, uint64_t count, int is_code)
{
    static volatile uint32_t identifiers[MOST_STORM_THREADS];
    static const uint64_t interval[4] = { 0, 700, 0, 700 };
    call6(CALL_MMAP, THREADS_START, (MOST_STORM_THREADS + 1) * THREAD_SIZE, 3, 0x32, (uint64_t)-1, 0);
    call6(CALL_MMAP, ARENA, ARENA_SIZE, 7, 0x32, (uint64_t)-1, 0);
    make_files();
    for (uint32_t signal = 1; signal <= 64; signal++) {
        set_handler(signal, (uint64_t)handler, SA_SIGINFO | SA_ONSTACK, 0);
    }
    uint64_t threads = is_code ? 0 : seed % MOST_STORM_THREADS;
    for (uint64_t i = 0; i <= threads; i++) {
        struct storm_thread *thread = (struct storm_thread *)(THREADS_START + i * THREAD_SIZE);
        *thread = (struct storm_thread){ (seed * 8 + i + 1) * 0x9E3779B97F4A7C15UL, (uint32_t)count, 0 };
    }
    only_code = is_code;
    call(CALL_SETITIMER, 0, (uint64_t)interval, 0, 0);
    for (uint64_t i = 1; i <= threads; i++) {
        start_thread((uint64_t)storm_of_thread, i, THREADS_START + (i + 1) * THREAD_SIZE - 16, &identifiers[i - 1]);
    }
    // On its own stack of a handler as well.
    storm_of_thread(0);
    return 0;
}
