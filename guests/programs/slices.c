// SPDX-License-Identifier: Apache-2.0
//
// Programs that compute without system calls, while other threads and timers wait.

#include "chance.h"
#include "signals.h"
#include "start.h"

#define CALL_NANOSLEEP 35
#define CALL_ALARM 37
#define CALL_SETITIMER 38
#define CALL_TIMER_CREATE 222
#define CALL_TIMER_SETTIME 223

#define SIGALRM 14
#define SIGUSR1 10
#define MILLISECOND 1000000L

#define GENERAL_REGISTERS 14
#define VECTOR_REGISTERS 16
#define X87_REGISTERS 8
// Much more than what is done besides, and still short for an interpreter.
#define SPINS 0x8000UL
#define HANDLER_SPINS 0x100UL
#define SIGNALS_WANTED 20
#define TURNS_WANTED 10

// What a processor has. The layout is that of the assembly.
struct state {
    uint64_t general[GENERAL_REGISTERS];
    uint64_t vectors[VECTOR_REGISTERS][2];
    // Ten bytes each.
    uint64_t x87[X87_REGISTERS][2];
    uint32_t mxcsr;
    uint16_t control;
    uint16_t padding;
};

// Loads all registers, counts down, and stores what the registers hold then.
void hold_registers(const struct state *loaded, struct state *stored, uint64_t spins);

__asm__(".macro EACH_VECTOR base, store\n"
        "    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
        "    .if \\store\n"
        "    movdqu %xmm\\n, 112 + 16 * \\n(\\base)\n"
        "    .else\n"
        "    movdqu 112 + 16 * \\n(\\base), %xmm\\n\n"
        "    .endif\n"
        "    .endr\n"
        "    .endm\n"
        ".globl hold_registers\n"
        "hold_registers:\n"
        "    push %rbx\n"
        "    push %rbp\n"
        "    push %r12\n"
        "    push %r13\n"
        "    push %r14\n"
        "    push %r15\n"
        "    push %rsi\n"
        "    mov %rdx, %rcx\n"
        "    EACH_VECTOR %rdi, 0\n"
        "    ldmxcsr 496(%rdi)\n"
        "    fninit\n"
        "    fldcw 500(%rdi)\n"
        "    .irp n, 0, 1, 2, 3, 4, 5, 6, 7\n"
        "    fldt 368 + 16 * \\n(%rdi)\n"
        "    .endr\n"
        "    mov (%rdi), %rax\n"
        "    mov 8(%rdi), %rbx\n"
        "    mov 16(%rdi), %rdx\n"
        "    mov 24(%rdi), %rsi\n"
        "    mov 32(%rdi), %rbp\n"
        "    mov 40(%rdi), %r8\n"
        "    mov 48(%rdi), %r9\n"
        "    mov 56(%rdi), %r10\n"
        "    mov 64(%rdi), %r11\n"
        "    mov 72(%rdi), %r12\n"
        "    mov 80(%rdi), %r13\n"
        "    mov 88(%rdi), %r14\n"
        "    mov 96(%rdi), %r15\n"
        "    mov 104(%rdi), %rdi\n"
        "1:  dec %rcx\n"
        "    jnz 1b\n"
        "    pop %rcx\n"
        "    mov %rax, (%rcx)\n"
        "    mov %rbx, 8(%rcx)\n"
        "    mov %rdx, 16(%rcx)\n"
        "    mov %rsi, 24(%rcx)\n"
        "    mov %rbp, 32(%rcx)\n"
        "    mov %r8, 40(%rcx)\n"
        "    mov %r9, 48(%rcx)\n"
        "    mov %r10, 56(%rcx)\n"
        "    mov %r11, 64(%rcx)\n"
        "    mov %r12, 72(%rcx)\n"
        "    mov %r13, 80(%rcx)\n"
        "    mov %r14, 88(%rcx)\n"
        "    mov %r15, 96(%rcx)\n"
        "    mov %rdi, 104(%rcx)\n"
        "    EACH_VECTOR %rcx, 1\n"
        "    stmxcsr 496(%rcx)\n"
        "    fnstcw 500(%rcx)\n"
        "    .irp n, 7, 6, 5, 4, 3, 2, 1, 0\n"
        "    fstpt 368 + 16 * \\n(%rcx)\n"
        "    .endr\n"
        "    fninit\n"
        "    pushq $0x1F80\n"
        "    ldmxcsr (%rsp)\n"
        "    pop %rax\n"
        "    pop %r15\n"
        "    pop %r14\n"
        "    pop %r13\n"
        "    pop %r12\n"
        "    pop %rbp\n"
        "    pop %rbx\n"
        "    ret\n");

static void fill(struct state *state, uint64_t seed)
{
    uint64_t value = random_state(seed);
    uint64_t *words = (uint64_t *)state;
    for (unsigned i = 0; i < sizeof *state / 8; i++) {
        words[i] = next_random(&value);
    }
    // Normal numbers, and exceptions masked.
    for (unsigned i = 0; i < X87_REGISTERS; i++) {
        state->x87[i][0] |= 1UL << 63;
        state->x87[i][1] = 0x3FFF + i;
    }
    state->mxcsr = seed & 1 ? 0x5F80 : 0x3F80;
    state->control = seed & 1 ? 0x27F : 0xB7F;
    state->padding = 0;
}

static int equals(const struct state *one, const struct state *other)
{
    const uint64_t *left = (const uint64_t *)one;
    const uint64_t *right = (const uint64_t *)other;
    for (unsigned i = 0; i < sizeof *one / 8; i++) {
        if (left[i] != right[i]) {
            return 0;
        }
    }
    return 1;
}

// Whether all registers have kept their values, while the thread was interrupted.
static int holds(uint64_t seed, uint64_t spins)
{
    struct state loaded;
    struct state stored = { .padding = 0 };
    fill(&loaded, seed);
    hold_registers(&loaded, &stored, spins);
    return equals(&loaded, &stored);
}

static volatile int signal_count;

static void count_signal(int signal)
{
    (void)signal;
    // Other values than those of the program.
    if (!holds((uint64_t)signal_count + 1000, HANDLER_SPINS)) {
        signal_count += 1000000;
    }
    signal_count++;
}

static int compute_until_signals(void)
{
    uint64_t wrong = 0;
    for (uint64_t seed = 0; signal_count < SIGNALS_WANTED; seed++) {
        wrong += !holds(seed, SPINS);
    }
    print_line("enough signals", signal_count < 1000000);
    print_line("wrong", (int64_t)wrong);
    return 0;
}

// The handler of an interval timer.
static int interval(void)
{
    const int64_t times[4] = { 0, 5000, 0, 5000 };
    set_handler(SIGALRM, (uint64_t)count_signal, 0, 0);
    call6(CALL_SETITIMER, 0, (uint64_t)times, 0, 0, 0, 0);
    return compute_until_signals();
}

// The same of a timer that was created.
static int created_timer(void)
{
    const int64_t times[4] = { 0, 5 * MILLISECOND, 0, 5 * MILLISECOND };
    const struct {
        uint64_t value;
        int32_t signal, notification;
        uint8_t padding[48];
    } event = { .signal = SIGUSR1 };
    int32_t timer;
    set_handler(SIGUSR1, (uint64_t)count_signal, 0, 0);
    call6(CALL_TIMER_CREATE, 1, (uint64_t)&event, (uint64_t)&timer, 0, 0, 0);
    call6(CALL_TIMER_SETTIME, (uint64_t)timer, 0, (uint64_t)times, 0, 0, 0);
    return compute_until_signals();
}

static uint8_t stacks[2][16384] __attribute__((aligned(16)));
static volatile uint32_t identifiers[2];
static volatile int is_set;

static void set_later(uint64_t argument)
{
    const int64_t time[2] = { 0, 20 * MILLISECOND };
    (void)argument;
    call6(CALL_NANOSLEEP, (uint64_t)time, 0, 0, 0, 0, 0);
    is_set = 1;
}

// Waits without a system call for what another thread does.
static int spin(void)
{
    start_thread((uint64_t)set_later, 0, (uint64_t)stacks[1], &identifiers[0]);
    while (!is_set) {
    }
    print("set\n");
    return 0;
}

static volatile uint64_t progress[2];
static volatile uint64_t wrong_states;

// Until the other thread has gone on often enough, which it does in other time slices.
static void compute_beside(uint64_t self)
{
    uint64_t last = progress[!self];
    for (unsigned turns = 0; turns < TURNS_WANTED;) {
        progress[self]++;
        if (!holds(progress[self] * 2 + self, SPINS)) {
            wrong_states++;
        }
        if (progress[!self] != last) {
            last = progress[!self];
            turns++;
        }
    }
    // The other one needs turns as well.
    progress[self] = UINT64_MAX / 2;
    while (progress[!self] < UINT64_MAX / 2) {
        progress[self]++;
    }
}

static int two_threads(void)
{
    start_thread((uint64_t)compute_beside, 1, (uint64_t)stacks[1], &identifiers[0]);
    compute_beside(0);
    join_thread(&identifiers[0]);
    print_line("wrong", (int64_t)wrong_states);
    return 0;
}

static __attribute__((noreturn)) void end_by_alarm(void)
{
    call6(CALL_ALARM, 1, 0, 0, 0, 0, 0);
    for (;;) {
        __asm__ volatile("");
    }
}

static void spin_for_ever(uint64_t argument)
{
    (void)argument;
    for (;;) {
        __asm__ volatile("");
    }
}

int slices(const char *name)
{
    if (equal(name, "spin-for-ever")) {
        start_thread((uint64_t)spin_for_ever, 0, (uint64_t)stacks[1], &identifiers[0]);
        spin_for_ever(0);
    }
    if (equal(name, "spin")) {
        return spin();
    }
    if (equal(name, "two-spinners")) {
        return two_threads();
    }
    if (equal(name, "end-by-alarm")) {
        end_by_alarm();
    }
    if (equal(name, "interval")) {
        return interval();
    }
    return equal(name, "created-timer") ? created_timer() : -1;
}
