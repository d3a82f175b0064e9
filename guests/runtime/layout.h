// SPDX-License-Identifier: Apache-2.0
//
// Addresses and structures shared with the host.

#ifndef HL_LAYOUT_H
#define HL_LAYOUT_H

#include <stdint.h>

#define HL_PAGE_SIZE 0x1000UL

// The scratch region ends here, in virtual and in physical space. Their
// difference is the same for every scratch size.
#define HL_SCRATCH_TOP_GVA 0xFFFFFFFFFFFFF000UL
#define HL_SCRATCH_TOP_GPA 0x1000000000UL
#define HL_SCRATCH_GVA_MINUS_GPA (HL_SCRATCH_TOP_GVA - HL_SCRATCH_TOP_GPA)

// Metadata, counted down from the top of scratch.
#define HL_METADATA_SIZE 0x20
#define HL_SCRATCH_SIZE_SLOT ((volatile uint64_t *)(HL_SCRATCH_TOP_GVA - 0x08))
#define HL_ALLOCATOR_SLOT ((volatile uint64_t *)(HL_SCRATCH_TOP_GVA - 0x10))
#define HL_PAGE_TABLE_SLOT ((volatile uint64_t *)(HL_SCRATCH_TOP_GVA - 0x18))
#define HL_GENERATION_SLOT ((volatile uint64_t *)(HL_SCRATCH_TOP_GVA - 0x20))
#define HL_SEED_SLOT ((volatile uint64_t *)(HL_SCRATCH_TOP_GVA - 0x28))
#define HL_LOG_FILTER_SLOT ((volatile uint64_t *)(HL_SCRATCH_TOP_GVA - 0x30))

// The last three pages of scratch are never handed out: metadata and the
// exception stacks. Page faults have a stack of their own, so that code running
// on the other one may still cause copy-on-write faults.
#define HL_PAGE_FAULT_STACK_TOP (HL_SCRATCH_TOP_GVA - 0x30)
#define HL_EXCEPTION_STACK_TOP (HL_SCRATCH_TOP_GVA - 0x1030)
#define HL_RESERVED_TOP_GPA (HL_SCRATCH_TOP_GPA - 0x3000)

#define HL_MAIN_STACK_TOP 0xFFFFFF0000000000UL
#define HL_MAIN_STACK_LIMIT 0xFFFFFE0000000000UL

// Descriptor tables live at a fixed address outside scratch, so that a snapshot
// keeps them.
#define HL_CONTROL_BLOCK 0xFFFFFD0000000000UL
#define HL_CONTROL_BLOCK_PAGES 2
#define HL_TSS_OFFSET 0x40
#define HL_IDT_OFFSET 0x1000

#define HL_CODE_SELECTOR 0x08
#define HL_DATA_SELECTOR 0x10
#define HL_TSS_SELECTOR 0x18

#define HL_MAX_PARAMETERS 11

struct hl_region {
    uint64_t size;
    uint64_t address;
};

struct hl_peb {
    struct hl_region input;
    struct hl_region output;
    struct hl_region init_data;
    struct hl_region heap;
};

static inline void *hl_scratch_pointer(uint64_t physical)
{
    return (void *)(physical + HL_SCRATCH_GVA_MINUS_GPA);
}

#endif
