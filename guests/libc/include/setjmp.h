// SPDX-License-Identifier: Apache-2.0

#ifndef HL_LIBC_SETJMP_H
#define HL_LIBC_SETJMP_H

#ifdef __cplusplus
extern "C" {
#endif

// rbx, rbp, r12 to r15, rsp, rip.
typedef unsigned long jmp_buf[8];

__attribute__((returns_twice)) int setjmp(jmp_buf environment);
__attribute__((noreturn)) void longjmp(jmp_buf environment, int value);

#ifdef __cplusplus
}
#endif

#endif
