// SPDX-License-Identifier: Apache-2.0
//
// Where the host enters the guest: once to initialise, then for every call.

#define MAIN_STACK_TOP 0xFFFFFF0000000000
#define PORT_HALT 108
#define CR4_PGE 0x80

    .section .text.entry, "ax", @progbits

// entrypoint(peb, seed, page_size, log_filter), on the exception stack, with
// RSP as a call would have left it. No global may be written before
// hl_early_init has returned.
    .globl entrypoint
    .type entrypoint, @function
entrypoint:
    cld
    mov %rdi, %rbx
    mov %rsi, %rbp
    mov %rdx, %r12
    mov %rcx, %r13
    sub $8, %rsp
    call hl_early_init

    movabs $MAIN_STACK_TOP, %rsp
    mov %rbx, %rdi
    mov %rbp, %rsi
    mov %r12, %rdx
    mov %r13, %rcx
    xor %ebp, %ebp
    call hl_initialise

    // The host takes the dispatch entry from RAX and the stack for every later
    // dispatch from RSP.
    lea hl_dispatch_entry(%rip), %rax
    movabs $MAIN_STACK_TOP, %rsp
    mov $PORT_HALT, %edx
    out %eax, %dx
1:
    cli
    hlt
    jmp 1b
    .size entrypoint, . - entrypoint

// ZF set means that the mappings may have changed under the processor. The
// stack is one of them, so the TLB is flushed before anything touches it.
    .globl hl_dispatch_entry
    .type hl_dispatch_entry, @function
hl_dispatch_entry:
    jnz 1f
    mov %cr4, %rdi
    xor $CR4_PGE, %rdi
    mov %rdi, %cr4
    xor $CR4_PGE, %rdi
    mov %rdi, %cr4
1:
    cld
    call hl_dispatch
    xor %eax, %eax
    mov $PORT_HALT, %edx
    out %eax, %dx
2:
    cli
    hlt
    jmp 2b
    .size hl_dispatch_entry, . - hl_dispatch_entry

    .section .note.GNU-stack, "", @progbits
