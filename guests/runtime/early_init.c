// SPDX-License-Identifier: Apache-2.0
//
// From the state the host leaves the processor in to one where exceptions are
// handled and globals can be written. Until the descriptor tables are loaded a
// write to a global would be a triple fault: nothing here writes to anything but
// the stack, the scratch region and pages mapped here.

#include "early_init.h"

#include "exceptions.h"
#include "layout.h"
#include "page_alloc.h"
#include "page_table.h"

#include <stdint.h>

#define TSS_LIMIT 0x67
#define TSS_IST1_OFFSET 0x24
#define TSS_IST2_OFFSET 0x2C
#define TSS_IO_MAP_OFFSET 0x66

#define PAGE_FAULT_IST 1
#define EXCEPTION_IST 2

// The accessed bits are set so that the processor never has to write to the
// table, which is read-only after a restore.
#define CODE_DESCRIPTOR 0x00AF9B000000FFFFUL
#define DATA_DESCRIPTOR 0x00CF93000000FFFFUL
#define TSS_TYPE_AVAILABLE 0x89UL
#define INTERRUPT_GATE 0x8EUL

struct table_register {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

static void map_control_block(void)
{
    uint64_t physical = hl_allocate_physical_pages(HL_CONTROL_BLOCK_PAGES);
    for (uint64_t i = 0; i < HL_CONTROL_BLOCK_PAGES; i++) {
        hl_map_page(HL_CONTROL_BLOCK + i * HL_PAGE_SIZE, physical + i * HL_PAGE_SIZE,
                    HL_PTE_READ_WRITE | HL_PTE_NO_EXECUTE);
    }
}

static void fill_tss(void)
{
    volatile char *tss = (volatile char *)(HL_CONTROL_BLOCK + HL_TSS_OFFSET);
    *(volatile uint32_t *)(tss + TSS_IST1_OFFSET) = (uint32_t)HL_PAGE_FAULT_STACK_TOP;
    *(volatile uint32_t *)(tss + TSS_IST1_OFFSET + 4) = HL_PAGE_FAULT_STACK_TOP >> 32;
    *(volatile uint32_t *)(tss + TSS_IST2_OFFSET) = (uint32_t)HL_EXCEPTION_STACK_TOP;
    *(volatile uint32_t *)(tss + TSS_IST2_OFFSET + 4) = HL_EXCEPTION_STACK_TOP >> 32;
    *(volatile uint16_t *)(tss + TSS_IO_MAP_OFFSET) = TSS_LIMIT + 1;
}

static void fill_gdt(void)
{
    volatile uint64_t *gdt = (volatile uint64_t *)HL_CONTROL_BLOCK;
    const uint64_t tss = HL_CONTROL_BLOCK + HL_TSS_OFFSET;
    gdt[1] = CODE_DESCRIPTOR;
    gdt[2] = DATA_DESCRIPTOR;
    gdt[3] = TSS_LIMIT | (tss & 0xFFFFFF) << 16 | TSS_TYPE_AVAILABLE << 40 |
             (tss >> 24 & 0xFF) << 56;
    gdt[4] = tss >> 32;
}

static void set_gate(unsigned vector, unsigned stub)
{
    uint64_t handler = (uint64_t)hl_exception_stubs + stub * HL_EXCEPTION_STUB_SIZE;
    uint64_t stack = vector == HL_VECTOR_PAGE_FAULT ? PAGE_FAULT_IST : EXCEPTION_IST;
    volatile uint64_t *gate =
        (volatile uint64_t *)(HL_CONTROL_BLOCK + HL_IDT_OFFSET) + 2 * vector;
    gate[0] = (handler & 0xFFFF) | (uint64_t)HL_CODE_SELECTOR << 16 | stack << 32 |
              INTERRUPT_GATE << 40 | (handler >> 16 & 0xFFFF) << 48;
    gate[1] = handler >> 32;
}

static void fill_idt(void)
{
    for (unsigned vector = 0; vector <= 20; vector++) {
        set_gate(vector, vector);
    }
    set_gate(30, 21);
}

static void load_tables(void)
{
    const struct table_register gdt = { 5 * 8 - 1, HL_CONTROL_BLOCK };
    const struct table_register idt = { 256 * 16 - 1, HL_CONTROL_BLOCK + HL_IDT_OFFSET };

    __asm__ volatile("lgdt %0" : : "m"(gdt));
    // CS cannot be loaded by a move; iretq takes it from a frame.
    __asm__ volatile("mov %%rsp, %%rax\n\t"
                     "push %[data]\n\t"
                     "push %%rax\n\t"
                     "push $2\n\t"
                     "push %[code]\n\t"
                     "lea 1f(%%rip), %%rax\n\t"
                     "push %%rax\n\t"
                     "iretq\n"
                     "1:\n\t"
                     "mov %[selector], %%ds\n\t"
                     "mov %[selector], %%es\n\t"
                     "mov %[selector], %%fs\n\t"
                     "mov %[selector], %%gs\n\t"
                     :
                     : [data] "i"(HL_DATA_SELECTOR), [code] "i"(HL_CODE_SELECTOR),
                       [selector] "r"(HL_DATA_SELECTOR)
                     : "rax", "memory", "cc");
    __asm__ volatile("ltr %0" : : "r"((uint16_t)HL_TSS_SELECTOR));
    __asm__ volatile("lidt %0" : : "m"(idt));
}

void hl_early_init(void)
{
    map_control_block();
    fill_gdt();
    fill_tss();
    fill_idt();
    load_tables();
    hl_map_page(HL_MAIN_STACK_TOP - HL_PAGE_SIZE, hl_allocate_physical_pages(1),
                HL_PTE_READ_WRITE | HL_PTE_NO_EXECUTE);
}
