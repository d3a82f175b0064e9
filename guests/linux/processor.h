// SPDX-License-Identifier: Apache-2.0

#ifndef LINUX_PROCESSOR_H
#define LINUX_PROCESSOR_H

#include <stdbool.h>
#include <stdint.h>

#define MSR_EFER 0xC0000080
#define MSR_STAR 0xC0000081
#define MSR_LSTAR 0xC0000082
#define MSR_SFMASK 0xC0000084
#define MSR_FS_BASE 0xC0000100
#define MSR_GS_BASE 0xC0000101

// Of RFLAGS: always set, and interrupts.
#define INITIAL_RFLAGS 0x202UL
// What a program can change of RFLAGS: the arithmetic flags, TF, DF, NT, RF, AC, ID.
#define PROGRAM_RFLAGS 0x254DD5UL

// Descriptor tables with segments for CPL 3, system calls, SMEP, SMAP and UMIP
// where the processor has them. Once: a snapshot keeps all of it.
void processor_init(void);

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};

struct cpuid processor_cpuid(uint32_t leaf, uint32_t subleaf);

// The time stamp counter.
uint64_t processor_ticks(void);

// Whether it always goes at the same rate, and does not stand still (invariant TSC).
bool processor_has_steady_ticks(void);

uint64_t read_msr(uint32_t index);
void write_msr(uint32_t index, uint64_t value);

// EDX of leaf 1 of CPUID: AT_HWCAP.
uint32_t processor_features(void);

#endif
