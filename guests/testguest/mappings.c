// SPDX-License-Identifier: Apache-2.0
//
// Physical memory the guest was or was not given.

#include "testguest.h"

#include "../runtime/cpu.h"
#include "../runtime/layout.h"
#include "../runtime/page_table.h"

// Nothing else is mapped there.
#define WINDOW 0xFFFFFC0000000000UL

static volatile uint64_t *map_window(uint64_t physical, uint64_t flags)
{
    *hl_make_leaf(WINDOW) = (physical & HL_PTE_ADDRESS) | flags | HL_PTE_NO_EXECUTE;
    hl_invalidate_page(WINDOW);
    return (volatile uint64_t *)(WINDOW + physical % HL_PAGE_SIZE);
}

static hl_Vec *map_and_read(const hl_FunctionCall *call)
{
    return hl_flatbuffer_result_from_ULong(*map_window(PARAMETER(0, ULong), HL_PTE_READ_ONLY));
}

static hl_Vec *map_and_write(const hl_FunctionCall *call)
{
    *map_window(PARAMETER(0, ULong), HL_PTE_READ_WRITE) = PARAMETER(1, ULong);
    return hl_flatbuffer_result_from_Void();
}

// Two pages of constants, one of which is whole: nobody has written to it, so it
// is still the page of the snapshot.
static const char snapshot_page[2 * HL_PAGE_SIZE] = { 1 };

static hl_Vec *write_snapshot_page(const hl_FunctionCall *call)
{
    (void)call;
    uint64_t page = ((uint64_t)snapshot_page + HL_PAGE_SIZE - 1) & ~(HL_PAGE_SIZE - 1);
    volatile uint64_t *leaf = hl_find_leaf(page);
    *leaf = (*leaf & ~HL_PTE_AVAILABLE) | HL_PTE_WRITABLE;
    hl_invalidate_page(page);
    *(volatile uint64_t *)page = 1;
    return hl_flatbuffer_result_from_Void();
}

static const struct guest_function functions[] = {
    { "MapAndRead", map_and_read, "U" },
    { "MapAndWrite", map_and_write, "UU" },
    { "WriteSnapshotPage", write_snapshot_page, "" },
};

void register_mappings(void)
{
    REGISTER(functions);
}
