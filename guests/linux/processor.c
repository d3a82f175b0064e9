// SPDX-License-Identifier: Apache-2.0
//
// The processor's tables and registers for a program at CPL 3.

#include "processor.h"

#include "../runtime/cpu.h"
#include "../runtime/layout.h"
#include "registers.h"

#define EFER_SYSTEM_CALLS 1UL
#define CR4_UMIP (1UL << 11)
#define CR4_SMEP (1UL << 20)
#define CR4_SMAP (1UL << 21)

// With the accessed bits set, as the runtime's: the processor never writes them.
#define KERNEL_CODE_DESCRIPTOR 0x00AF9B000000FFFFUL
#define KERNEL_DATA_DESCRIPTOR 0x00CF93000000FFFFUL
#define USER_DATA_DESCRIPTOR 0x00CFF3000000FFFFUL
#define USER_CODE_DESCRIPTOR 0x00AFFB000000FFFFUL

#define VECTORS 21
#define VECTOR_BREAKPOINT 3
#define VECTOR_PAGE_FAULT 14
#define PAGE_FAULT_IST 1UL
#define EXCEPTION_IST 2UL
#define INTERRUPT_GATE 0x8EUL
#define GATE_FOR_PROGRAMS 0x60UL

// All flags that SYSCALL may clear, but the one that is always set.
#define SYSTEM_CALL_MASK 0x3F7FD5UL

struct table_register {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

static uint64_t gdt[8];

// Of CPUID.
#define LAST_EXTENDED_LEAF 0x80000000
#define LEAF_POWER 0x80000007
#define STEADY_TICKS (1U << 8)

struct cpuid processor_cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid result = { .eax = leaf, .ecx = subleaf };
    __asm__ volatile("cpuid" : "+a"(result.eax), "=b"(result.ebx), "+c"(result.ecx), "=d"(result.edx));
    return result;
}

uint64_t processor_ticks(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

bool processor_has_steady_ticks(void)
{
    return processor_cpuid(LAST_EXTENDED_LEAF, 0).eax >= LEAF_POWER && processor_cpuid(LEAF_POWER, 0).edx & STEADY_TICKS;
}

uint64_t read_msr(uint32_t index)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(index));
    return (uint64_t)high << 32 | low;
}

void write_msr(uint32_t index, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "c"(index), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

uint32_t processor_features(void)
{
    return processor_cpuid(1, 0).edx;
}

// Null, kernel code and data, TSS as the runtime has them; then for programs. Where SYSRET would look for a segment of
// 32-bit code there is none: a system call of such code would begin at CSTAR, or be undefined.
static void load_segments(void)
{
    const volatile uint64_t *runtime = (const volatile uint64_t *)HL_CONTROL_BLOCK;
    gdt[1] = KERNEL_CODE_DESCRIPTOR;
    gdt[2] = KERNEL_DATA_DESCRIPTOR;
    gdt[3] = runtime[3];
    gdt[4] = runtime[4];
    gdt[5] = 0;
    gdt[6] = USER_DATA_DESCRIPTOR;
    gdt[7] = USER_CODE_DESCRIPTOR;
    const struct table_register table = { sizeof gdt - 1, (uint64_t)gdt };
    __asm__ volatile("lgdt %0" : : "m"(table), "m"(gdt));
}

static void set_gate(unsigned vector, uint64_t entry, uint64_t stack, uint64_t type)
{
    volatile uint64_t *idt = (volatile uint64_t *)(HL_CONTROL_BLOCK + HL_IDT_OFFSET);
    idt[2 * vector] = (entry & 0xFFFF) | (uint64_t)KERNEL_CODE_SELECTOR << 16 | stack << 32 |
                      type << 40 | (entry >> 16 & 0xFFFF) << 48;
    idt[2 * vector + 1] = entry >> 32;
}

static void set_gates(void)
{
    for (unsigned vector = 0; vector < VECTORS; vector++) {
        uint64_t stack = vector == VECTOR_PAGE_FAULT ? PAGE_FAULT_IST : EXCEPTION_IST;
        uint64_t type = INTERRUPT_GATE | (vector == VECTOR_BREAKPOINT ? GATE_FOR_PROGRAMS : 0);
        set_gate(vector, (uint64_t)exception_entries + vector * EXCEPTION_ENTRY_SIZE, stack, type);
    }
    set_gate(TRAP_TICK, (uint64_t)tick_entry, EXCEPTION_IST, INTERRUPT_GATE);
}

static void protect_kernel(void)
{
    struct cpuid features = processor_cpuid(7, 0);
    uint64_t cr4 = hl_read_cr4();
    cr4 |= features.ebx & (1U << 7) ? CR4_SMEP : 0;
    cr4 |= features.ebx & (1U << 20) ? CR4_SMAP : 0;
    cr4 |= features.ecx & (1U << 2) ? CR4_UMIP : 0;
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4) : "memory");
}

void processor_init(void)
{
    load_segments();
    set_gates();
    protect_kernel();
    write_msr(MSR_STAR, (uint64_t)USER_BASE_SELECTOR << 48 | (uint64_t)KERNEL_CODE_SELECTOR << 32);
    write_msr(MSR_LSTAR, (uint64_t)system_call_entry);
    write_msr(MSR_SFMASK, SYSTEM_CALL_MASK);
    write_msr(MSR_EFER, read_msr(MSR_EFER) | EFER_SYSTEM_CALLS);
}
