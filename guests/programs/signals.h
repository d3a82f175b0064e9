// SPDX-License-Identifier: Apache-2.0
//
// What the kernel puts on the stack of a handler.

#ifndef PROGRAMS_SIGNALS_H
#define PROGRAMS_SIGNALS_H

#include <stdint.h>

#define SA_SIGINFO 0x4UL
#define SA_RESTORER 0x4000000UL
#define SA_ONSTACK 0x8000000UL
#define SA_NODEFER 0x40000000UL
#define SA_RESETHAND 0x80000000UL

struct action {
    uint64_t handler, flags, restorer, mask;
};

struct stack {
    uint64_t start, flags, size;
};

struct info {
    int32_t signal, error, code, padding;
    // The sender and its user, or an address.
    union {
        uint64_t address;
        uint32_t word;
    };
    uint64_t value;
    uint64_t rest[12];
};

struct context {
    uint64_t context_flags, link, stack_start, stack_flags, stack_size;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
    uint64_t segments, error_code, trap, old_mask, fault_address, vectors, reserved[8];
    uint64_t mask;
};

void restore_registers(void);
void set_handler(uint32_t signal, uint64_t handler, uint64_t flags, uint64_t mask);
void send_self(uint32_t signal);

#endif
