// SPDX-License-Identifier: Apache-2.0

#include "thread_workers.h"

#define GENERAL_REGISTERS 12
#define VECTOR_REGISTERS 16
#define X87_REGISTERS 8
#define ARCH_SET_GS 0x1001
#define HANDLER_SPINS 16

// What a system call keeps. The layout is that of the assembly.
struct registers {
    // RBX, RBP, R12 to R15, and the six arguments.
    uint64_t general[GENERAL_REGISTERS];
    uint64_t vectors[VECTOR_REGISTERS][2];
    // Ten bytes each.
    uint64_t x87[X87_REGISTERS][2];
    uint32_t mxcsr;
    uint16_t control;
    uint16_t padding;
};

// Loads all registers, counts down, makes the system call, and stores what the registers hold then.
int64_t call_with_registers(const struct registers *loaded, struct registers *stored, uint64_t number, uint64_t spins);

__asm__(".macro MOVE_VECTORS base, stores\n"
        "    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
        "    .if \\stores\n"
        "    movdqu %xmm\\n, 96 + 16 * \\n(\\base)\n"
        "    .else\n"
        "    movdqu 96 + 16 * \\n(\\base), %xmm\\n\n"
        "    .endif\n"
        "    .endr\n"
        "    .endm\n"
        ".globl call_with_registers\n"
        "call_with_registers:\n"
        "    push %rbx\n"
        "    push %rbp\n"
        "    push %r12\n"
        "    push %r13\n"
        "    push %r14\n"
        "    push %r15\n"
        "    push %rsi\n"
        "    mov %rdx, %rax\n"
        "    MOVE_VECTORS %rdi, 0\n"
        "    ldmxcsr 480(%rdi)\n"
        "    fninit\n"
        "    fldcw 484(%rdi)\n"
        "    .irp n, 0, 1, 2, 3, 4, 5, 6, 7\n"
        "    fldt 352 + 16 * \\n(%rdi)\n"
        "    .endr\n"
        "    mov (%rdi), %rbx\n"
        "    mov 8(%rdi), %rbp\n"
        "    mov 16(%rdi), %r12\n"
        "    mov 24(%rdi), %r13\n"
        "    mov 32(%rdi), %r14\n"
        "    mov 40(%rdi), %r15\n"
        "    mov 56(%rdi), %rsi\n"
        "    mov 64(%rdi), %rdx\n"
        "    mov 72(%rdi), %r10\n"
        "    mov 80(%rdi), %r8\n"
        "    mov 88(%rdi), %r9\n"
        "    mov 48(%rdi), %rdi\n"
        "1:  dec %rcx\n"
        "    jnz 1b\n"
        "    syscall\n"
        "    pop %rcx\n"
        "    mov %rbx, (%rcx)\n"
        "    mov %rbp, 8(%rcx)\n"
        "    mov %r12, 16(%rcx)\n"
        "    mov %r13, 24(%rcx)\n"
        "    mov %r14, 32(%rcx)\n"
        "    mov %r15, 40(%rcx)\n"
        "    mov %rdi, 48(%rcx)\n"
        "    mov %rsi, 56(%rcx)\n"
        "    mov %rdx, 64(%rcx)\n"
        "    mov %r10, 72(%rcx)\n"
        "    mov %r8, 80(%rcx)\n"
        "    mov %r9, 88(%rcx)\n"
        "    MOVE_VECTORS %rcx, 1\n"
        "    stmxcsr 480(%rcx)\n"
        "    fnstcw 484(%rcx)\n"
        "    .irp n, 7, 6, 5, 4, 3, 2, 1, 0\n"
        "    fstpt 352 + 16 * \\n(%rcx)\n"
        "    .endr\n"
        "    fninit\n"
        "    pushq $0x1F80\n"
        "    ldmxcsr (%rsp)\n"
        "    pop %rcx\n"
        "    pop %r15\n"
        "    pop %r14\n"
        "    pop %r13\n"
        "    pop %r12\n"
        "    pop %rbp\n"
        "    pop %rbx\n"
        "    ret\n");

static void fill(struct registers *registers, uint64_t *value)
{
    uint64_t *words = (uint64_t *)registers;
    for (unsigned i = 0; i < sizeof *registers / 8; i++) {
        *value ^= *value << 13;
        *value ^= *value >> 7;
        *value ^= *value << 17;
        words[i] = *value;
    }
    // Normal numbers, and exceptions masked.
    for (unsigned i = 0; i < X87_REGISTERS; i++) {
        registers->x87[i][0] |= 1UL << 63;
        registers->x87[i][1] = 0x3FFF + i;
    }
    registers->mxcsr = *value & 1 ? 0x5F80 : 0x3F80;
    registers->control = *value & 2 ? 0x27F : 0xB7F;
    registers->padding = 0;
}

static int64_t call_and_check(struct worker *worker, uint64_t number, const uint64_t arguments[6], uint64_t spins)
{
    struct registers loaded;
    struct registers stored = { .padding = 0 };
    fill(&loaded, &worker->values);
    for (unsigned i = 0; i < 6; i++) {
        loaded.general[6 + i] = arguments[i];
    }
    int64_t result = call_with_registers(&loaded, &stored, number, spins + 1);
    for (unsigned i = 0; i < sizeof loaded / 8; i++) {
        worker->wrong += ((uint64_t *)&loaded)[i] != ((uint64_t *)&stored)[i];
    }
    return result;
}

int64_t worker_call(struct worker *worker)
{
    return call_and_check(worker, worker->number, worker->arguments, worker->spins);
}

static void note(struct worker *worker, uint64_t value)
{
    worker->log = (worker->log * 31 + value) & 0xFFFFFFFF;
}

void worker_handle(int signal, const struct info *info, struct context *context)
{
    static const uint64_t no_arguments[6];
    struct worker *worker = worker_self();
    struct stack stack;
    uint64_t mask;
    call(CALL_SIGPROCMASK, 0, 0, (uint64_t)&mask, 8);
    call(CALL_SIGALTSTACK, 0, (uint64_t)&stack, 0, 0);
    note(worker, (uint64_t)signal);
    note(worker, (uint32_t)info->code);
    note(worker, info->code == -1 ? info->value : 0);
    note(worker, (uint64_t)info->signal);
    note(worker, mask);
    note(worker, context->mask);
    note(worker, stack.flags);
    call_and_check(worker, CALL_GETTID, no_arguments, HANDLER_SPINS);
    __atomic_fetch_add(&worker->handled, 1, __ATOMIC_SEQ_CST);
}

int64_t worker_read(struct worker *worker)
{
    int64_t count = worker_call(worker);
    for (int64_t i = 0; i < count; i++) {
        note(worker, worker->buffer[i]);
    }
    return count;
}

int64_t worker_take_signal(struct worker *worker)
{
    const struct info *info = (const struct info *)worker->buffer;
    int64_t signal = worker_call(worker);
    if (signal > 0) {
        note(worker, (uint32_t)info->code);
        note(worker, info->code == -1 ? info->value : 0);
    }
    return signal;
}

int64_t worker_poll(struct worker *worker)
{
    int64_t count = worker_call(worker);
    note(worker, worker->buffer[6]);
    note(worker, worker->buffer[14]);
    return count;
}

int64_t worker_wait_for_child(struct worker *worker)
{
    int64_t id = worker_call(worker);
    return id > 0 ? 1 : id;
}

int64_t worker_send_bytes(struct worker *worker)
{
    uint64_t left = worker->number;
    while (left != 0) {
        uint64_t size = 1 + left % sizeof worker->buffer;
        for (uint64_t i = 0; i < size; i++) {
            worker->buffer[i] = (uint8_t)(left - i);
        }
        const uint64_t arguments[6] = { worker->arguments[0], (uint64_t)worker->buffer, size < left ? size : left };
        int64_t count = call_and_check(worker, CALL_WRITE, arguments, worker->spins);
        if (count <= 0) {
            return count;
        }
        left -= (uint64_t)count;
    }
    return 0;
}

int64_t worker_receive_bytes(struct worker *worker)
{
    uint64_t left = worker->number;
    while (left != 0) {
        uint64_t size = 1 + left % (sizeof worker->buffer - 1000);
        const uint64_t arguments[6] = { worker->arguments[0], (uint64_t)worker->buffer, size < left ? size : left };
        int64_t count = call_and_check(worker, CALL_READ, arguments, worker->spins);
        if (count <= 0) {
            return count;
        }
        for (int64_t i = 0; i < count; i++) {
            worker->wrong += worker->buffer[i] != (uint8_t)(left - (uint64_t)i);
        }
        left -= (uint64_t)count;
    }
    return 0;
}

static int64_t futex(struct worker *worker, volatile uint32_t *word, uint64_t operation, uint64_t value)
{
    const uint64_t arguments[6] = { (uint64_t)word, operation, value };
    return call_and_check(worker, CALL_FUTEX, arguments, worker->spins);
}

static int replace(volatile uint32_t *word, uint32_t old, uint32_t new)
{
    return __atomic_compare_exchange_n(word, &old, new, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

// 1 if the owner of the lock had ended.
static int64_t acquire(struct worker *worker, volatile uint32_t *word)
{
    uint32_t waiters = 0;
    for (;;) {
        uint32_t value = *word;
        if ((value & FUTEX_OWNER) == 0) {
            if (replace(word, value, worker->thread_id | waiters | (value & FUTEX_WAITERS))) {
                return (value & FUTEX_OWNER_DIED) != 0;
            }
        } else if (value & FUTEX_WAITERS || replace(word, value, value | FUTEX_WAITERS)) {
            futex(worker, word, FUTEX_WAIT, value | FUTEX_WAITERS);
            waiters = FUTEX_WAITERS;
        }
    }
}

int64_t worker_lock(struct worker *worker)
{
    struct mutex *mutex = worker->mutex;
    worker->locks.pending = (uint64_t)mutex;
    int64_t result = acquire(worker, &mutex->word);
    mutex->next = worker->locks.next;
    worker->locks.next = (uint64_t)mutex;
    worker->locks.pending = 0;
    return result;
}

static uint32_t release(struct worker *worker)
{
    struct mutex *mutex = worker->mutex;
    uint64_t *link = &worker->locks.next;
    worker->locks.pending = (uint64_t)mutex;
    while (*link != (uint64_t)mutex) {
        link = &((struct mutex *)*link)->next;
    }
    *link = mutex->next;
    return __atomic_exchange_n(&mutex->word, 0, __ATOMIC_SEQ_CST);
}

int64_t worker_unlock(struct worker *worker)
{
    int64_t woken = release(worker) & FUTEX_WAITERS ? futex(worker, &worker->mutex->word, FUTEX_WAKE, 1) : 0;
    worker->locks.pending = 0;
    return woken;
}

int64_t worker_end(struct worker *worker)
{
    return call(CALL_EXIT, worker->number, 0, 0, 0);
}

int64_t worker_end_in_lock(struct worker *worker)
{
    worker->locks.pending = (uint64_t)worker->mutex;
    acquire(worker, &worker->mutex->word);
    return worker_end(worker);
}

int64_t worker_end_in_unlock(struct worker *worker)
{
    release(worker);
    return worker_end(worker);
}

static void prepare(struct worker *worker)
{
    worker->wrong += worker_self() != worker;
    worker->locks = (struct robust_list){ (uint64_t)&worker->locks, offsetof(struct mutex, word), 0 };
    worker->wrong += call(CALL_ARCH_PRCTL, ARCH_SET_GS, (uint64_t)worker, 0, 0) != 0;
    worker->wrong += call(CALL_SET_ROBUST_LIST, (uint64_t)&worker->locks, sizeof worker->locks, 0, 0) != 0;
}

static void check_bases(struct worker *worker)
{
    struct worker *other;
    __asm__ volatile("mov %%gs:0, %0" : "=r"(other));
    worker->wrong += worker_self() != worker || other != worker;
}

void worker_start(struct worker *worker)
{
    prepare(worker);
    for (;;) {
        uint32_t finished = worker->finished;
        __atomic_store_n(&worker->finished, finished + 1, __ATOMIC_SEQ_CST);
        while (worker->told == finished + 1) {
            futex(worker, &worker->told, FUTEX_WAIT | FUTEX_PRIVATE, finished + 1);
        }
        worker->result = worker->operation(worker);
        check_bases(worker);
    }
}
