// SPDX-License-Identifier: Apache-2.0
//
// The registers of the program while the kernel runs. Shared with entry.S.

#ifndef LINUX_REGISTERS_H
#define LINUX_REGISTERS_H

#define REGISTER_RAX 0x00
#define REGISTER_RBX 0x08
#define REGISTER_RCX 0x10
#define REGISTER_RDX 0x18
#define REGISTER_RSI 0x20
#define REGISTER_RDI 0x28
#define REGISTER_RBP 0x30
#define REGISTER_R8 0x38
#define REGISTER_R9 0x40
#define REGISTER_R10 0x48
#define REGISTER_R11 0x50
#define REGISTER_R12 0x58
#define REGISTER_R13 0x60
#define REGISTER_R14 0x68
#define REGISTER_R15 0x70
#define REGISTER_RSP 0x78
#define REGISTER_RIP 0x80
#define REGISTER_RFLAGS 0x88
#define REGISTER_ERROR_CODE 0x90
#define REGISTER_VECTOR 0x98
#define REGISTER_FAULT_ADDRESS 0xA0
#define REGISTER_KERNEL_STACK 0xA8
#define REGISTERS_SIZE 0x100

// What ended the execution of the program, besides the exception vectors: the
// vector of the timer, and a system call.
#define TRAP_TICK 32
#define TRAP_SYSTEM_CALL 256

#define KERNEL_CODE_SELECTOR 0x08
#define USER_BASE_SELECTOR 0x28
#define USER_DATA_SELECTOR 0x33
#define USER_CODE_SELECTOR 0x3B

#define EXCEPTION_ENTRY_SIZE 32

#ifndef __ASSEMBLER__

#include <stdint.h>

struct registers {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t rsp, rip, rflags;
    // Of the last exception.
    uint64_t error_code, vector, fault_address;
    // Where enter_program continues. It is written each time the program is
    // entered: the page of this structure is then private to the run, so that the
    // exception entries never cause a copy-on-write fault while they are on the
    // stack of page faults.
    uint64_t kernel_stack;
} __attribute__((aligned(REGISTERS_SIZE)));

_Static_assert(__builtin_offsetof(struct registers, r15) == REGISTER_R15, "layout of entry.S");
_Static_assert(__builtin_offsetof(struct registers, kernel_stack) == REGISTER_KERNEL_STACK,
               "layout of entry.S");
_Static_assert(sizeof(struct registers) == REGISTERS_SIZE, "in one page");

extern struct registers program_registers;

// Executes the program at CPL 3 from program_registers, until a system call
// (TRAP_SYSTEM_CALL), an interrupt of the timer (TRAP_TICK) or an exception (its
// vector).
uint32_t enter_program(void);

// What switch_stack pops before it returns.
#define SWITCHED_REGISTERS 6

// Saves the stack of the kernel, and continues on the other one.
void switch_stack(uint64_t *save, uint64_t load);

extern const char system_call_entry[];
extern const char tick_entry[];
extern const char exception_entries[];

#endif
#endif
