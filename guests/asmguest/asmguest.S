// SPDX-License-Identifier: Apache-2.0
//
// A guest written from the ABI specification and nothing else: it checks what
// the host promises, and answers in a FlatBuffers layout of its own.
//
// It has no descriptor tables, so a processor exception is a triple fault (1.4).
// It writes only to scratch: the stack at its top, the two buffers and pages
// from the allocator (1.5). What it must remember is in a page it never writes
// again, mapped read-only below scratch, so that it survives a snapshot
// without copy-on-write (Appendix B, 10).

    .intel_syntax noprefix
#include "abi.inc"

    // 1.3
    .section .note.hyperlight-version, "a", @note
    .balign 8
    .long 11, .Lversion_end - .Lversion, 1
    .asciz "Hyperlight"
    .balign 8
.Lversion:
    .asciz "0.15.0"
.Lversion_end:
    .balign 8

    .text
#include "entry.inc"

// 3.2: all general registers are 0 except RIP, RSP and RFLAGS. None of the
// register checks changes a flag or uses the stack, so that ZF is still there
// and the flush comes before the stack is touched.
dispatch:
    promise_zero 101, rcx, "dispatch"
    promise_zero 102, rax, "dispatch"
    promise_zero 103, rbx, "dispatch"
    promise_zero 104, rdx, "dispatch"
    promise_zero 105, rsi, "dispatch"
    promise_zero 106, rdi, "dispatch"
    promise_zero 107, rbp, "dispatch"
    promise_zero 108, r8, "dispatch"
    promise_zero 109, r9, "dispatch"
    promise_zero 110, r10, "dispatch"
    promise_zero 111, r11, "dispatch"
    promise_zero 112, r12, "dispatch"
    promise_zero 113, r13, "dispatch"
    promise_zero 114, r14, "dispatch"
    promise_zero 115, r15, "dispatch"
    lea rcx, [rsp + STACK_TOP_TO_ZERO]
    promise_zero 116, rcx, "dispatch", "rsp is not what was given"
    lahf
    jnz 1f
    mov rdi, cr4
    lea rdi, [rdi + CR4_PGE]
    mov cr4, rdi
    lea rdi, [rdi - CR4_PGE]
    mov cr4, rdi
1:
    // The status flags are in AH: writing CR4 leaves them undefined.
    pushfq
    pop rcx
    and ah, ~0x40
    cmp ah, RFLAGS_VALUE
    promise 117, e, "rflags is neither 0x2 nor 0x42 at dispatch"
    and rcx, ~STATUS_FLAGS
    cmp rcx, RFLAGS_VALUE
    promise 117, e, "rflags is neither 0x2 nor 0x42 at dispatch"

    // 3.2: control registers are as the guest left them.
    mov rax, cr0
    mov ecx, CR0_VALUE
    cmp rax, rcx
    promise 118, e, "cr0 has changed at dispatch"
    mov rax, cr3
    cmp rax, META(META_TABLES)
    promise 119, e, "cr3 is not where the page tables are at dispatch"
    mov rax, cr4
    cmp rax, CR4_VALUE
    promise 120, e, "cr4 has changed at dispatch"
    read_msr MSR_EFER
    cmp rax, EFER_VALUE
    promise 121, e, "efer has changed at dispatch"

    // From here on: rbp PEB, r12 input buffer, r13 output buffer.
    mov rax, STATE_PAGE
    mov rbp, [rax + STATE_PEB]
    mov r12, [rbp + PEB_INPUT]
    mov r13, [rbp + PEB_OUTPUT]
    mov rax, SCRATCH_TOP
    sub rax, META(META_SIZE)
    cmp rax, r12
    promise 122, e, "the input buffer is not at the start of scratch at dispatch"
    add rax, [rbp + PEB_INPUT_SIZE]
    cmp rax, r13
    promise 122, e, "the output buffer is not after the input buffer at dispatch"
    cmp qword ptr [r13], BUFFER_EMPTY
    promise 123, e, "the output buffer is not empty at dispatch"
    call input_element
    jmp serve

#include "wire.inc"
#include "messages.inc"
#include "functions.inc"

// 3.5: the code, the text in threes, 0xFF. In: al, rsi. Uses no stack, since
// the stack may be what is wrong.
abort:
    mov edx, PORT_ABORT
    movzx eax, al
    shl eax, 8
    or eax, 1
    out dx, eax
1:  xor eax, eax
    mov ecx, 8
2:  movzx edi, byte ptr [rsi]
    test edi, edi
    jz 3f
    inc rsi
    shl edi, cl
    or eax, edi
    inc eax                     // the count is the lowest byte
    add ecx, 8
    cmp ecx, 32
    jne 2b
    out dx, eax
    jmp 1b
3:  test eax, eax
    jz 4f
    out dx, eax
4:  mov eax, 0xFF01
    out dx, eax
stop:
    cli
    hlt
    jmp stop

    .section .rodata
    .balign 4
promises:
    .long entry_promises + dispatch_promises

    .section .note.GNU-stack, "", @progbits
