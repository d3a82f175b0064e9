// SPDX-License-Identifier: Apache-2.0
//
// The way into the program and back. The kernel has one processor and a fixed
// address, so that the registers are saved relative to RIP: neither SWAPGS nor a
// free register is needed, and GS belongs to the program alone.

#include "registers.h"

#define AT(register) program_registers + REGISTER_##register(%rip)

    .macro SAVE_COMMON
    mov %rax, AT(RAX)
    mov %rbx, AT(RBX)
    mov %rcx, AT(RCX)
    mov %rdx, AT(RDX)
    mov %rsi, AT(RSI)
    mov %rdi, AT(RDI)
    mov %rbp, AT(RBP)
    mov %r8, AT(R8)
    mov %r9, AT(R9)
    mov %r10, AT(R10)
    mov %r11, AT(R11)
    mov %r12, AT(R12)
    mov %r13, AT(R13)
    mov %r14, AT(R14)
    mov %r15, AT(R15)
    .endm

    .section .text.linux_entry, "ax", @progbits

    .globl enter_program
    .hidden enter_program
    .type enter_program, @function
enter_program:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, AT(KERNEL_STACK)
    push $USER_DATA_SELECTOR
    push AT(RSP)
    push AT(RFLAGS)
    push $USER_CODE_SELECTOR
    push AT(RIP)
    mov AT(RAX), %rax
    mov AT(RBX), %rbx
    mov AT(RCX), %rcx
    mov AT(RDX), %rdx
    mov AT(RSI), %rsi
    mov AT(RDI), %rdi
    mov AT(RBP), %rbp
    mov AT(R8), %r8
    mov AT(R9), %r9
    mov AT(R10), %r10
    mov AT(R11), %r11
    mov AT(R12), %r12
    mov AT(R13), %r13
    mov AT(R14), %r14
    mov AT(R15), %r15
    // Not SYSRET: some KVM hosts cannot execute it, and on Intel processors it
    // faults at CPL 0 on an address that is not canonical.
    iretq

leave_program:
    // Clears AC and DF, which exceptions leave as the program had them.
    push $2
    popfq
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret
    .size enter_program, . - enter_program

// SYSCALL: RCX has the program's RIP, R11 its RFLAGS. The stack is the program's:
// nothing may use it. A copy-on-write fault here is safe, because page faults
// have a stack of their own.
    .globl system_call_entry
    .hidden system_call_entry
system_call_entry:
    mov %rsp, AT(RSP)
    mov AT(KERNEL_STACK), %rsp
    SAVE_COMMON
    mov %rcx, AT(RIP)
    mov %r11, AT(RFLAGS)
    mov $TRAP_SYSTEM_CALL, %eax
    jmp leave_program

// An exception of the kernel is the runtime's, whose stubs are in the same order.
    .macro ENTRY vector, has_error_code, stub
    .balign EXCEPTION_ENTRY_SIZE
    .if \has_error_code
    testb $3, 16(%rsp)
    jz hl_exception_stubs + 16 * \stub
    .else
    testb $3, 8(%rsp)
    jz hl_exception_stubs + 16 * \stub
    push $0
    .endif
    push $\vector
    jmp exception_of_program
    .endm

    .balign EXCEPTION_ENTRY_SIZE
    .globl exception_entries
    .hidden exception_entries
exception_entries:
    ENTRY 0, 0, 0
    ENTRY 1, 0, 1
    ENTRY 2, 0, 2
    ENTRY 3, 0, 3
    ENTRY 4, 0, 4
    ENTRY 5, 0, 5
    ENTRY 6, 0, 6
    ENTRY 7, 0, 7
    ENTRY 8, 1, 8
    ENTRY 9, 0, 9
    ENTRY 10, 1, 10
    ENTRY 11, 1, 11
    ENTRY 12, 1, 12
    ENTRY 13, 1, 13
    ENTRY 14, 1, 14
    ENTRY 15, 0, 15
    ENTRY 16, 0, 16
    ENTRY 17, 1, 17
    ENTRY 18, 0, 18
    ENTRY 19, 0, 19
    ENTRY 20, 0, 20

// The timer. Only programs are interrupted: the kernel has interrupts off.
    .globl tick_entry
    .hidden tick_entry
tick_entry:
    push $0
    push $TRAP_TICK

exception_of_program:
    SAVE_COMMON
    // Before a copy-on-write fault of the kernel can change it.
    mov %cr2, %rax
    mov %rax, AT(FAULT_ADDRESS)
    pop AT(VECTOR)
    pop AT(ERROR_CODE)
    pop AT(RIP)
    add $8, %rsp
    pop AT(RFLAGS)
    pop AT(RSP)
    mov AT(KERNEL_STACK), %rsp
    mov AT(VECTOR), %eax
    jmp leave_program

// switch_stack(save, load): continues where another call of it saved its stack.
    .globl switch_stack
    .hidden switch_stack
    .type switch_stack, @function
switch_stack:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, (%rdi)
    mov %rsi, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret
    .size switch_stack, . - switch_stack

    .section .note.GNU-stack, "", @progbits
