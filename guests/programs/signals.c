// SPDX-License-Identifier: Apache-2.0
//
// Handlers of signals, and what they find.

#include "start.h"
#include "signals.h"

#define CALL_SIGACTION 13
#define CALL_SIGPROCMASK 14
#define CALL_NANOSLEEP 35
#define CALL_ALARM 37
#define CALL_GETITIMER 36
#define CALL_SETITIMER 38
#define CALL_SIGPENDING 127
#define CALL_SIGTIMEDWAIT 128
#define CALL_SIGQUEUEINFO 129
#define CALL_SIGSUSPEND 130
#define CALL_SIGALTSTACK 131

static volatile int depth;
static volatile int skipped;
static uint8_t alternate[16384] __attribute__((aligned(16)));

void set_handler(uint32_t signal, uint64_t handler, uint64_t flags, uint64_t mask)
{
    const struct action action = { handler, flags | SA_RESTORER, (uint64_t)restore_registers, mask };
    call6(CALL_SIGACTION, signal, (uint64_t)&action, 0, 8, 0, 0);
}

__asm__(".globl restore_registers\n"
        "restore_registers:\n"
        "    mov $15, %eax\n"
        "    syscall\n"
        "    ud2\n");

void send_self(uint32_t signal)
{
    call6(CALL_KILL, (uint64_t)call6(CALL_GETPID, 0, 0, 0, 0, 0, 0), signal, 0, 0, 0, 0);
}

static void set_mask(uint64_t mask)
{
    call6(CALL_SIGPROCMASK, 2, (uint64_t)&mask, 0, 8, 0, 0);
}

static uint64_t get_mask(void)
{
    uint64_t mask;
    call6(CALL_SIGPROCMASK, 0, 0, (uint64_t)&mask, 8, 0, 0);
    return mask;
}

static void describe(int signal, const struct info *info, struct context *context)
{
    uint64_t stack = (uint64_t)__builtin_frame_address(0);
    print_line("signal", signal);
    print_line("code", info->code);
    print_line("sender", info->word == (uint32_t)call6(CALL_GETPID, 0, 0, 0, 0, 0, 0));
    print_line("alignment", (int64_t)(stack & 15));
    print_line("code segment", context->segments & 0xFFFF);
    print_line("stack segment", (int64_t)(context->segments >> 48));
    print_line("mask", (int64_t)context->mask);
    print_line("own mask", (int64_t)get_mask());
    print_line("vectors", (context->vectors & 63) == 0 && *(uint16_t *)context->vectors == 0x37F);
    print_line("stack", (int64_t)context->stack_flags);
}

// All registers, the red zone, vectors and flags are as before the handler.
static void clobber(int signal)
{
    (void)signal;
    __asm__ volatile("pcmpeqd %%xmm0, %%xmm0; pcmpeqd %%xmm7, %%xmm7; fld1; xor %%ebx, %%ebx; xor %%r12d, %%r12d; std; cld"
                     : : : "xmm0", "xmm7", "rbx", "r12", "st");
}

static int registers(void)
{
    uint64_t different;
    double before = 1.5;
    double after;
    set_handler(10, (uint64_t)clobber, 0, 0);
    __asm__ volatile("movsd %[before], %%xmm7\n"
                     "movq $0x1234567, -64(%%rsp)\n"
                     "mov $0x1111, %%ebx\n"
                     "mov $0x2222, %%r12d\n"
                     "mov $39, %%eax\n"
                     "syscall\n"
                     "mov %%eax, %%edi\n"
                     "mov $10, %%esi\n"
                     "mov $62, %%eax\n"
                     "stc\n"
                     "syscall\n"
                     "setnc %%dl\n"
                     "movzbl %%dl, %%edx\n"
                     "movsd %%xmm7, %[after]\n"
                     "sub $0x1111, %%rbx\n"
                     "sub $0x2222, %%r12\n"
                     "subq $0x1234567, -64(%%rsp)\n"
                     "or -64(%%rsp), %%rdx\n"
                     "or %%rbx, %%rdx\n"
                     "or %%r12, %%rdx\n"
                     "or %%rax, %%rdx\n"
                     : "=d"(different), [after] "=m"(after)
                     : [before] "m"(before)
                     : "rax", "rbx", "rcx", "rsi", "rdi", "r11", "r12", "xmm7", "memory", "cc");
    print_line("different", (int64_t)different);
    print_line("vector", (int64_t)(after * 1000));
    return 0;
}

static void nest(int signal)
{
    print_line("begins", signal);
    if (signal == 10 && depth++ == 0) {
        send_self(12);
        send_self(10);
    }
    print_line("ends", signal);
}

// A fault whose instruction has two bytes.
static void skip_fault(int signal, const struct info *info, struct context *context)
{
    print_line("signal", signal);
    print_line("code", info->code);
    print_line("at the instruction", info->word == (uint32_t)context->rip);
    // Addresses of the code are different in each run of a position independent program.
    uint64_t distance = info->address - context->rip;
    print_line("address", (int64_t)(distance < 16 ? distance : info->address));
    print_line("trap", (int64_t)context->trap);
    print_line("error", (int64_t)context->error_code);
    skipped++;
    context->rip += context->rax == 3 ? 0 : 2;
}

static int fault_handlers(void)
{
    static const uint32_t faults[] = { 4, 5, 7, 8, 11 };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        set_handler(faults[i], (uint64_t)skip_fault, SA_SIGINFO, 0);
    }
    // Each instruction has two bytes, but int3 and a jump.
    __asm__ volatile("mov $8, %%ebx; mov %%eax, (%%rbx)" : : "a"(0) : "rbx", "memory");
    __asm__ volatile("mov $8, %%ebx; mov (%%rbx), %%eax" : : "a"(0) : "rbx", "memory");
    __asm__ volatile("lea fault_handlers_end(%%rip), %%rbx; mov %%eax, (%%rbx); fault_handlers_end:" : : "a"(0) : "rbx", "memory");
    __asm__ volatile("mov $0xFFFFFF0000000000, %%rbx; mov (%%rbx), %%eax" : : "a"(0) : "rbx", "memory");
    __asm__ volatile("mov $0x8000000000000000, %%rbx; mov (%%rbx), %%eax" : : "a"(0) : "rbx", "memory");
    __asm__ volatile("ud2" : : "a"(0) : "memory");
    __asm__ volatile("xor %%ecx, %%ecx; xor %%edx, %%edx; div %%ecx" : : "a"(0) : "rcx", "rdx", "memory");
    __asm__ volatile("int3" : : "a"(3) : "memory");
    __asm__ volatile("cli; nop" : : "a"(0) : "memory");
    print_line("skipped", skipped);
    return 0;
}

static void report_stack(int signal)
{
    uint64_t stack = (uint64_t)__builtin_frame_address(0);
    print_line("on the stack", stack > (uint64_t)alternate && stack < (uint64_t)(alternate + sizeof alternate));
    struct stack state;
    call6(CALL_SIGALTSTACK, 0, (uint64_t)&state, 0, 0, 0, 0);
    print_line("state", (int64_t)state.flags);
    print_line("change", call6(CALL_SIGALTSTACK, (uint64_t)&state, 0, 0, 0, 0, 0));
    if (signal == 10) {
        send_self(12);
    }
}

static int alternate_stack(void)
{
    struct stack stack = { (uint64_t)alternate, 0, sizeof alternate };
    struct stack small = { (uint64_t)alternate, 0, 100 };
    print_line("small", call6(CALL_SIGALTSTACK, (uint64_t)&small, 0, 0, 0, 0, 0));
    small = (struct stack){ (uint64_t)alternate, 8, sizeof alternate };
    print_line("invalid", call6(CALL_SIGALTSTACK, (uint64_t)&small, 0, 0, 0, 0, 0));
    print_line("set", call6(CALL_SIGALTSTACK, (uint64_t)&stack, 0, 0, 0, 0, 0));
    set_handler(10, (uint64_t)report_stack, SA_ONSTACK, 0);
    set_handler(12, (uint64_t)report_stack, SA_ONSTACK, 0);
    send_self(10);
    set_handler(10, (uint64_t)report_stack, 0, 0);
    send_self(10);
    return 0;
}

// Uses less of the stack than a frame of a handler does, so that it is a frame that does not fit.
static void recurse(int signal)
{
    send_self((uint32_t)signal);
}

static int overflow_alternate_stack(void)
{
    struct stack stack = { (uint64_t)alternate, 0, sizeof alternate };
    call6(CALL_SIGALTSTACK, (uint64_t)&stack, 0, 0, 0, 0, 0);
    set_handler(10, (uint64_t)recurse, SA_ONSTACK | SA_NODEFER, 0);
    send_self(10);
    return 0;
}

static void count(int signal)
{
    print_line("handler", signal);
    depth++;
}

static int masks(void)
{
    uint64_t set = 1UL << 9 | 1UL << 11 | 1UL << 33 | 1UL << 34;
    uint64_t pending = 0;
    for (uint32_t signal = 10; signal <= 35; signal++) {
        set_handler(signal, (uint64_t)count, 0, 0);
    }
    set_mask(set | ~0UL << 40 | 1UL << 8);
    print_line("blockable", (get_mask() & 1UL << 8) == 0);
    send_self(12);
    send_self(10);
    send_self(10);
    send_self(34);
    send_self(34);
    call6(CALL_SIGPENDING, (uint64_t)&pending, 8, 0, 0, 0, 0);
    print_line("pending", (int64_t)pending);
    const uint64_t others = ~(1UL << 9);
    print_line("suspend", call6(CALL_SIGSUSPEND, (uint64_t)&others, 8, 0, 0, 0, 0));
    print_line("mask", (int64_t)(get_mask() & 0xFFFFFF));
    set_mask(0);
    print_line("calls", depth);
    return 0;
}

static int waits(void)
{
    uint64_t set = 1UL << 9 | 1UL << 33;
    const uint64_t soon[2] = { 0, 1000000 };
    struct info info = { .code = -1, .value = 77 };
    uint64_t self = (uint64_t)call6(CALL_GETPID, 0, 0, 0, 0, 0, 0);
    set_mask(set);
    print_line("timeout", call6(CALL_SIGTIMEDWAIT, (uint64_t)&set, 0, (uint64_t)soon, 8, 0, 0));
    for (int i = 0; i < 3; i++) {
        info.value = (uint64_t)i;
        print_line("queue", call6(CALL_SIGQUEUEINFO, self, 34, (uint64_t)&info, 0, 0, 0));
    }
    send_self(10);
    for (int i = 0; i < 4; i++) {
        print_line("signal", call6(CALL_SIGTIMEDWAIT, (uint64_t)&set, (uint64_t)&info, (uint64_t)soon, 8, 0, 0));
        print_line("value", info.signal == 34 ? (int64_t)info.value : 0);
    }
    print_line("size", call6(CALL_SIGTIMEDWAIT, (uint64_t)&set, 0, 0, 7, 0, 0));
    return 0;
}

static int actions(void)
{
    set_handler(10, (uint64_t)count, SA_RESETHAND, 0);
    send_self(10);
    set_handler(12, (uint64_t)nest, SA_NODEFER, 1UL << 9);
    set_handler(10, (uint64_t)nest, SA_NODEFER, 1UL << 11);
    send_self(10);
    set_handler(10, 1, 0, 0);
    send_self(10);
    print("ignored\n");
    const struct action action = { 0 };
    print_line("kill", call6(CALL_SIGACTION, 9, (uint64_t)&action, 0, 8, 0, 0));
    print_line("stop", call6(CALL_SIGACTION, 19, (uint64_t)&action, 0, 8, 0, 0));
    print_line("signal 0", call6(CALL_SIGACTION, 0, (uint64_t)&action, 0, 8, 0, 0));
    set_handler(10, (uint64_t)count, SA_RESETHAND, 0);
    send_self(10);
    send_self(10);
    return 1;
}

// A signal ends a sleep, and says how much of it is left.
static int interrupt_sleep(void)
{
    const uint64_t long_time[2] = { 100, 0 };
    uint64_t rest[2] = { 0, 0 };
    set_handler(14, (uint64_t)count, 0x10000000, 0);
    // Late enough for the sleep to have begun, and if not, there is another one.
    const uint64_t soon[4] = { 0, 250000, 0, 250000 };
    const uint64_t never[4] = { 0 };
    call6(CALL_SETITIMER, 0, (uint64_t)soon, 0, 0, 0, 0);
    print_line("sleep", call6(CALL_NANOSLEEP, (uint64_t)long_time, (uint64_t)rest, 0, 0, 0, 0));
    call6(CALL_SETITIMER, 0, (uint64_t)never, 0, 0, 0, 0);
    print_line("rest", rest[0] >= 90 && rest[0] <= 99);
    print_line("alarm", call6(CALL_ALARM, 100, 0, 0, 0, 0, 0));
    int64_t left = call6(CALL_ALARM, 0, 0, 0, 0, 0, 0);
    print_line("alarm", left >= 90 && left <= 100);
    return 0;
}

static volatile uint64_t expired[32];

static void note_expiry(int signal)
{
    expired[signal]++;
}

// Timers of processor time expire while the program computes.
static int interval_timers(void)
{
    const uint64_t soon[4] = { 0, 0, 0, 20000 };
    const uint64_t late[4] = { 2, 3, 1000, 0 };
    const uint64_t never[4] = { 0 };
    uint64_t rest[4];
    set_handler(26, (uint64_t)note_expiry, 0, 0);
    set_handler(27, (uint64_t)note_expiry, 0, 0);
    print_line("virtual", call6(CALL_SETITIMER, 1, (uint64_t)soon, 0, 0, 0, 0));
    print_line("profiling", call6(CALL_SETITIMER, 2, (uint64_t)soon, 0, 0, 0, 0));
    print_line("no timer", call6(CALL_SETITIMER, 3, (uint64_t)soon, 0, 0, 0, 0));
    while (expired[26] == 0 || expired[27] == 0) {
    }
    print_line("once", (int64_t)(expired[26] + expired[27]));
    print_line("get", call6(CALL_GETITIMER, 1, (uint64_t)rest, 0, 0, 0, 0));
    print_line("expired", (int64_t)(rest[2] + rest[3]));
    print_line("late", call6(CALL_SETITIMER, 2, (uint64_t)late, 0, 0, 0, 0));
    print_line("disarm", call6(CALL_SETITIMER, 2, (uint64_t)never, (uint64_t)rest, 0, 0, 0));
    print_line("interval", (int64_t)rest[0]);
    print_line("left", rest[2] >= 900 && rest[2] <= 1000);
    // An interval of what does not run.
    for (uint64_t which = 0; which < 2; which++) {
        const uint64_t idle[4] = { 5, 0, 0, 0 };
        print_line("idle", call6(CALL_SETITIMER, which, (uint64_t)idle, 0, 0, 0, 0));
        print_line("get", call6(CALL_GETITIMER, which, (uint64_t)rest, 0, 0, 0, 0));
        print_line("interval", (int64_t)rest[0]);
    }
    print_line("get no timer", call6(CALL_GETITIMER, 3, (uint64_t)rest, 0, 0, 0, 0));
    return 0;
}

static void change_context(int signal, const struct info *info, struct context *context)
{
    (void)info;
    (void)signal;
    context->rflags |= 0x3000 | 1UL << 17 | 1UL << 19;
    context->rbx = 5;
}

static int changed_context(void)
{
    uint64_t flags;
    uint64_t rbx;
    set_handler(10, (uint64_t)change_context, SA_SIGINFO, 0);
    __asm__ volatile("mov $62, %%eax; syscall; pushfq; pop %0"
                     : "=d"(flags), "=b"(rbx)
                     : "D"(call6(CALL_GETPID, 0, 0, 0, 0, 0, 0)), "S"(10)
                     : "rax", "rcx", "r11", "memory", "cc");
    print_line("privileges", (int64_t)(flags & 0xB3000));
    print_line("rbx", (int64_t)rbx);
    return 0;
}

int signals(const char *name)
{
    if (equal(name, "handler")) {
        set_handler(10, (uint64_t)describe, SA_SIGINFO, 1UL << 11);
        send_self(10);
        print_line("mask", (int64_t)get_mask());
        return 0;
    }
    if (equal(name, "handler-registers")) {
        return registers();
    }
    if (equal(name, "handler-nesting")) {
        set_handler(10, (uint64_t)nest, 0, 0);
        set_handler(12, (uint64_t)nest, 0, 0);
        send_self(10);
        return 0;
    }
    if (equal(name, "fault-handlers")) {
        return fault_handlers();
    }
    if (equal(name, "alternate-stack")) {
        return alternate_stack();
    }
    if (equal(name, "alternate-stack-overflow")) {
        return overflow_alternate_stack();
    }
    if (equal(name, "signal-masks")) {
        return masks();
    }
    if (equal(name, "signal-waits")) {
        return waits();
    }
    if (equal(name, "signal-actions")) {
        return actions();
    }
    if (equal(name, "interval-timers")) {
        return interval_timers();
    }
    if (equal(name, "signal-sleep")) {
        return interrupt_sleep();
    }
    if (equal(name, "changed-context")) {
        return changed_context();
    }
    return -1;
}
