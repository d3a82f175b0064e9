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

static hl_Vec *find_mapping(const hl_FunctionCall *call)
{
    const hl_FileMapping *mapping = hl_find_file_mapping(PARAMETER(0, String));
    return hl_flatbuffer_result_from_ULong(mapping == NULL ? 0 : mapping->physical_address);
}

static hl_Vec *find_mapping_size(const hl_FunctionCall *call)
{
    const hl_FileMapping *mapping = hl_find_file_mapping(PARAMETER(0, String));
    return hl_flatbuffer_result_from_ULong(mapping == NULL ? 0 : mapping->size);
}

static hl_Vec *map_physical(const hl_FunctionCall *call)
{
    hl_map_physical(PARAMETER(0, ULong), PARAMETER(1, ULong));
    return hl_flatbuffer_result_from_Void();
}

static hl_Vec *unmap_physical(const hl_FunctionCall *call)
{
    hl_unmap_physical(PARAMETER(0, ULong), PARAMETER(1, ULong));
    return hl_flatbuffer_result_from_Void();
}

static hl_Vec *peek(const hl_FunctionCall *call)
{
    return hl_flatbuffer_result_from_ULong(*(const volatile uint64_t *)PARAMETER(0, ULong));
}

static hl_Vec *poke(const hl_FunctionCall *call)
{
    *(volatile uint64_t *)PARAMETER(0, ULong) = PARAMETER(1, ULong);
    return hl_flatbuffer_result_from_Void();
}

// Reads one word of each page of physical memory through the window.
static hl_Vec *touch_pages(const hl_FunctionCall *call)
{
    uint64_t sum = 0;
    for (uint64_t i = 0; i < PARAMETER(1, ULong); i++) {
        sum += *map_window(PARAMETER(0, ULong) + i * HL_PAGE_SIZE, HL_PTE_READ_ONLY);
    }
    return hl_flatbuffer_result_from_ULong(sum);
}

static hl_Vec *map_and_execute(const hl_FunctionCall *call)
{
    *hl_make_leaf(WINDOW) = (PARAMETER(0, ULong) & HL_PTE_ADDRESS) | HL_PTE_READ_ONLY;
    hl_invalidate_page(WINDOW);
    int32_t (*code)(void) = (int32_t (*)(void))(WINDOW + PARAMETER(0, ULong) % HL_PAGE_SIZE);
    return hl_flatbuffer_result_from_Int(code());
}

static const struct guest_function functions[] = {
    { "MapAndRead", map_and_read, "U" },
    { "MapAndWrite", map_and_write, "UU" },
    { "WriteSnapshotPage", write_snapshot_page, "" },
    { "FindMapping", find_mapping, "s" },
    { "FindMappingSize", find_mapping_size, "s" },
    { "MapPhysical", map_physical, "UU" },
    { "UnmapPhysical", unmap_physical, "UU" },
    { "Peek", peek, "U" },
    { "Poke", poke, "UU" },
    { "TouchPages", touch_pages, "UU" },
    { "MapAndExecute", map_and_execute, "U" },
};

void register_mappings(void)
{
    REGISTER(functions);
}
