// SPDX-License-Identifier: Apache-2.0
//
// What the processor refuses a program.

#include "start.h"

// An address that neither Linux nor the kernel here gives to the program.
static uint64_t volatile kernel_address = 0xFFFFFF0000000000UL;

int faults(const char *name)
{
    if (equal(name, "null")) {
        *(volatile int *)8 = 1;
    } else if (equal(name, "null-call")) {
        ((void (*)(void))(uint64_t volatile){ 0 })();
    } else if (equal(name, "kernel-read")) {
        (void)*(volatile int *)(kernel_address - 16);
    } else if (equal(name, "kernel-write")) {
        *(volatile int *)(kernel_address - 16) = 1;
    } else if (equal(name, "kernel-low")) {
        *(volatile int *)0x2000 = 1;
    } else if (equal(name, "kernel-jump")) {
        ((void (*)(void))kernel_address)();
    } else if (equal(name, "not-canonical")) {
        (void)*(volatile int *)0x8000000000000000UL;
    } else if (equal(name, "code-write")) {
        *(volatile char *)&faults = 1;
    } else if (equal(name, "stack-execute")) {
        volatile unsigned char code[] = { 0xC3 };
        ((void (*)(void))(uint64_t)code)();
    } else if (equal(name, "stack-pointer")) {
        __asm__ volatile("mov $0x10, %rsp; push %rax");
    } else if (equal(name, "stack-pointer-call")) {
        // A system call must not use the stack of the program.
        __asm__ volatile("mov $0x10, %%rsp; mov $39, %%eax; syscall; mov $9, %%edi; mov $231, %%eax; syscall"
                         : : : "memory");
    } else if (equal(name, "undefined")) {
        __asm__ volatile("ud2");
    } else if (equal(name, "divide")) {
        __asm__ volatile("xor %%ecx, %%ecx; mov $1, %%eax; cdq; idiv %%ecx" : : : "eax", "ecx", "edx");
    } else if (equal(name, "float-divide")) {
        uint32_t control = 0x1F80 & ~0x200U;
        __asm__ volatile("ldmxcsr %0; pxor %%xmm0, %%xmm0; mov $1, %%eax; cvtsi2sd %%eax, %%xmm1; divsd %%xmm0, %%xmm1"
                         : : "m"(control) : "eax", "xmm0", "xmm1");
    } else if (equal(name, "breakpoint")) {
        __asm__ volatile("int3");
    } else if (equal(name, "step")) {
        __asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq; nop; nop" : : : "memory", "cc");
    } else if (equal(name, "halt")) {
        __asm__ volatile("hlt");
    } else if (equal(name, "port")) {
        __asm__ volatile("out %%al, $0x66" : : "a"(0));
    } else if (equal(name, "control-register")) {
        __asm__ volatile("mov %%cr3, %%rax" : : : "rax");
    } else if (equal(name, "model-specific-register")) {
        __asm__ volatile("mov $0xC0000082, %%ecx; rdmsr" : : : "rax", "rcx", "rdx");
    } else if (equal(name, "interrupt")) {
        __asm__ volatile("int $14");
    } else if (equal(name, "nested-task")) {
        __asm__ volatile("pushfq; orq $0x4000, (%%rsp); popfq; mov $39, %%eax; syscall" : : : "rax", "rcx", "r11", "memory", "cc");
        return 5;
    } else if (equal(name, "direction")) {
        __asm__ volatile("std; mov $39, %%eax; syscall; cld" : : : "rax", "rcx", "r11", "memory", "cc");
        print("direction\n");
        return 6;
    } else {
        return 100;
    }
    return 99;
}
