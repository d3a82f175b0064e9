// SPDX-License-Identifier: Apache-2.0
//
// One stub per exception vector. Each completes the frame to the layout of
// hl_ExceptionContext followed by hl_ExceptionInfo. The selectors and the FXSAVE
// image only get their space here: hl_handle_exception fills them in when a
// handler is going to look at them, which a copy-on-write fault never does.

#define SELECTORS_AND_FXSAVE (4 * 8 + 512)

    .section .text.exceptions, "ax", @progbits

    .macro STUB vector, has_error_code
    .balign 16
    .if !\has_error_code
    push $0
    .endif
    push $\vector
    jmp common
    .endm

    .globl hl_exception_stubs
hl_exception_stubs:
    STUB 0, 0
    STUB 1, 0
    STUB 2, 0
    STUB 3, 0
    STUB 4, 0
    STUB 5, 0
    STUB 6, 0
    STUB 7, 0
    STUB 8, 1
    STUB 9, 0
    STUB 10, 1
    STUB 11, 1
    STUB 12, 1
    STUB 13, 1
    STUB 14, 1
    STUB 15, 0
    STUB 16, 0
    STUB 17, 1
    STUB 18, 0
    STUB 19, 0
    STUB 20, 0
    STUB 30, 1

    .balign 16
common:
    push %rax
    push %rbx
    push %rcx
    push %rdx
    push %rsi
    push %rdi
    push %rbp
    push %r8
    push %r9
    push %r10
    push %r11
    push %r12
    push %r13
    push %r14
    push %r15
    sub $SELECTORS_AND_FXSAVE, %rsp
    mov %rsp, %rdi
    cld
    call hl_handle_exception
    add $SELECTORS_AND_FXSAVE, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rbp
    pop %rdi
    pop %rsi
    pop %rdx
    pop %rcx
    pop %rbx
    pop %rax
    // Vector and error code.
    add $16, %rsp
    iretq

    .section .note.GNU-stack, "", @progbits
