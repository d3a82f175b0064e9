// SPDX-License-Identifier: Apache-2.0
//
// Control registers and the few privileged instructions the runtime needs.

#ifndef HL_CPU_H
#define HL_CPU_H

#include <stdint.h>

static inline uint64_t hl_read_cr0(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr0, %0" : "=r"(value));
    return value;
}

static inline void hl_write_cr0(uint64_t value)
{
    __asm__ volatile("mov %0, %%cr0" : : "r"(value) : "memory");
}

static inline uint64_t hl_read_cr2(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr2, %0" : "=r"(value));
    return value;
}

static inline uint64_t hl_read_cr3(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr3, %0" : "=r"(value));
    return value;
}

static inline uint64_t hl_read_cr4(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr4, %0" : "=r"(value));
    return value;
}

static inline uint64_t hl_read_cr8(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr8, %0" : "=r"(value));
    return value;
}

static inline void hl_invalidate_page(uint64_t address)
{
    __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

static inline void hl_fxsave(void *image)
{
    __asm__ volatile("fxsave64 (%0)" : : "r"(image) : "memory");
}

static inline void hl_fxrstor(const void *image)
{
    __asm__ volatile("fxrstor64 (%0)" : : "r"(image) : "memory");
}

#define HL_STOP() \
    do { \
        __asm__ volatile("cli; hlt" : : : "memory"); \
    } while (1)

#endif
