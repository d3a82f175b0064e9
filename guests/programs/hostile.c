// SPDX-License-Identifier: Apache-2.0
//
// What a program does to take over the kernel by threads and signals.

#include "chance.h"
#include "start.h"
#include "signals.h"

static uint64_t state;

static uint64_t next(void)
{
    return next_random(&state);
}

static const uint64_t values[] = { 0, 8, 0x400000, 0x7FFFFFFFEFFFUL, 0x7FFFFFFFF000UL, 0x800000000000UL,
                                   0x8000000000000000UL, 0xFFFF800000000000UL, 0xFFFFFB0000004000UL,
                                   0xFFFFFF0000000000UL, ~0UL };

static uint64_t value(void)
{
    return next() % 2 == 0 ? next() : values[next() % (sizeof values / sizeof values[0])];
}

static void (*change)(struct context *context);
static volatile int is_expected;

static void corrupt(int signal, const struct info *info, struct context *context)
{
    (void)info;
    if (signal == 10) {
        is_expected = 1;
        change(context);
    } else {
        // The fault that follows.
        exit_program(is_expected ? 20 : 21);
    }
}

static void to_address_beyond(struct context *context) { context->rip = 0x7FFFFFFFF000UL; }
static void to_kernel(struct context *context) { context->rip = 0xFFFFFFFFFFFFF000UL; }
static void to_no_address(struct context *context) { context->rip = 0x8000000000000000UL; }
static void bad_stack(struct context *context) { context->rsp = 0x8000000000000000UL; }
static void bad_mxcsr(struct context *context) { *(uint32_t *)(context->vectors + 24) = ~0U; }
static void bad_vectors(struct context *context) { context->vectors = 8; }
static void kernel_vectors(struct context *context) { context->vectors = 0xFFFFFF0000000000UL; }

static void no_segments(struct context *context) { context->segments = 0; }
static void kernel_segments(struct context *context) { context->segments = 0x10UL << 48 | 8; }

static const struct {
    const char *name;
    void (*change)(struct context *context);
} changes[] = {
    { "return-beyond", to_address_beyond },
    { "return-to-kernel", to_kernel },
    { "return-nowhere", to_no_address },
    { "return-stack", bad_stack },
    { "return-mxcsr", bad_mxcsr },
    { "return-vectors", bad_vectors },
    { "return-kernel-vectors", kernel_vectors },
    { "return-without-segments", no_segments },
    { "return-kernel-segments", kernel_segments },
};

static int change_return(const char *name)
{
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        if (equal(name, changes[i].name)) {
            static uint8_t alternate[16384];
            struct stack stack = { (uint64_t)alternate, 0, sizeof alternate };
            call6(131, (uint64_t)&stack, 0, 0, 0, 0, 0);
            change = changes[i].change;
            set_handler(10, (uint64_t)corrupt, SA_SIGINFO, 0);
            set_handler(11, (uint64_t)corrupt, SA_SIGINFO | SA_ONSTACK, 0);
            set_handler(7, (uint64_t)corrupt, SA_SIGINFO | SA_ONSTACK, 0);
            send_self(10);
            return 22;
        }
    }
    return -1;
}

// Frames of random words, and handlers that change theirs at random.
static volatile uint32_t left;

static void randomize(int signal, const struct info *info, struct context *context)
{
    (void)signal;
    (void)info;
    uint64_t *words = (uint64_t *)context;
    uint64_t good_rip = context->rip;
    uint64_t good_rsp = context->rsp;
    unsigned count = next() % 6;
    if (left-- == 0) {
        exit_program(0);
    }
    for (unsigned i = 0; i < count; i++) {
        words[next() % (sizeof *context / 8)] = value();
    }
    if (context->vectors > 0x400000 && context->vectors < 0x7FFFFFFFE000UL && next() % 2 == 0) {
        // The header of XSAVE, and MXCSR.
        uint32_t *image = (uint32_t *)(context->vectors & ~63UL);
        if (image == (uint32_t *)context->vectors) {
            image[next() % 3 == 0 ? 6 : 128 + next() % 16] = (uint32_t)value();
        }
    }
    // With the signal blocked nothing would happen any more.
    context->mask &= ~(1UL << 9);
    if (next() % 4 != 0) {
        context->rip = good_rip;
        context->rsp = good_rsp;
    }
}

__attribute__((noreturn)) static void random_frames(uint64_t seed, uint64_t rounds)
{
    static uint8_t alternate[32768];
    struct stack stack = { (uint64_t)alternate, 0, sizeof alternate };
    state = random_state(seed);
    left = (uint32_t)rounds;
    call6(131, (uint64_t)&stack, 0, 0, 0, 0, 0);
    for (uint32_t signal = 4; signal <= 12; signal++) {
        set_handler(signal, (uint64_t)randomize, SA_SIGINFO | SA_NODEFER | (next() % 2 ? SA_ONSTACK : 0), 0);
    }
    for (;;) {
        send_self(10);
    }
}

static void random_thread(uint64_t seed)
{
    static const uint16_t calls[] = { 24, 186, 202, 202, 202, 200, 234, 218, 273, 274, 14, 127, 131, 13, 35, 56,
                                      435, 324, 203, 204, 128, 129, 222, 223, 226, 38 };
    static uint64_t area[512];
    uint64_t own = seed * 0x9E3779B97F4A7C15UL + 7;
    for (int i = 0; i < 300; i++) {
        uint64_t arguments[6];
        for (int j = 0; j < 6; j++) {
            own ^= own << 13;
            own ^= own >> 7;
            own ^= own << 17;
            arguments[j] = own % 3 == 0 ? own >> 5 : own % 3 == 1 ? (uint64_t)&area[own % 500] & ~3UL : own % 15;
        }
        uint64_t number = calls[own % (sizeof calls / sizeof calls[0])];
        if (number == 202) {
            // With a timeout, and never for long.
            static const uint64_t soon[2] = { 0, 1000 };
            arguments[3] = (arguments[1] & 0x7F) % 2 == 0 ? (uint64_t)soon : arguments[3];
            area[own % 500] = own % 4;
        } else if (number == 35 || number == 128) {
            static const uint64_t soon[2] = { 0, 1000 };
            arguments[number == 35 ? 0 : 2] = (uint64_t)soon;
        } else if (number == 56) {
            // A thread on this stack would end the program at once.
            arguments[0] &= ~0x100UL;
        }
        call6(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
    }
}

static int random_threads(uint64_t seed)
{
    static uint8_t stacks[8][8192] __attribute__((aligned(16)));
    static volatile uint32_t identifiers[8];
    // Most signals that they send each other have no effect.
    for (uint32_t signal = 1; signal <= 64; signal++) {
        set_handler(signal, 1, 0, 0);
    }
    for (unsigned i = 0; i < 7; i++) {
        start_thread((uint64_t)random_thread, seed * 8 + i, (uint64_t)stacks[i + 1], &identifiers[i]);
    }
    random_thread(seed);
    return 0;
}

int hostile(const char *name, const struct start *start)
{
    if (equal(name, "random-frames")) {
        random_frames(parse_number(start->arguments[2]), parse_number(start->arguments[3]));
    }
    if (equal(name, "random-threads")) {
        return random_threads(parse_number(start->arguments[2]));
    }
    if (equal(name, "handler-without-stack")) {
        set_handler(10, (uint64_t)restore_registers, 0, 0);
        __asm__ volatile("mov $0x10000, %%rsp; mov $62, %%eax; syscall; ud2"
                         : : "D"(call6(CALL_GETPID, 0, 0, 0, 0, 0, 0)), "S"(10) : "rax", "memory");
    }
    if (equal(name, "handler-without-restorer")) {
        const struct action action = { (uint64_t)restore_registers, 0, 0, 0 };
        call6(13, 10, (uint64_t)&action, 0, 8, 0, 0);
        send_self(10);
        return 1;
    }
    if (equal(name, "handler-in-kernel")) {
        set_handler(10, 0xFFFFFF0000000000UL, 0, 0);
        send_self(10);
        return 1;
    }
    if (equal(name, "fault-handler-in-kernel")) {
        set_handler(11, 0xFFFFFF0000000000UL, SA_NODEFER, 0);
        *(volatile int *)8 = 1;
        return 1;
    }
    if (equal(name, "return-without-frame")) {
        __asm__ volatile("mov $0x10, %%rsp; mov $15, %%eax; syscall; ud2" : : : "memory");
    }
    return change_return(name);
}
