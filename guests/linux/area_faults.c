// SPDX-License-Identifier: Apache-2.0

#include "area_faults.h"

#include "area_lists.h"
#include "errors.h"
#include "node.h"
#include "snapshot_pages.h"
#include "working_set.h"

#include <string.h>

// What a page of a file is in an area: NULL if it is zero. -ENXIO after the end of
// the file.
static int64_t find_source(const struct area *area, uint64_t page, unsigned access, uint8_t **source, uint64_t *size)
{
    uint64_t offset = page - area->start;
    *source = NULL;
    *size = 0;
    if (area->node == NULL) {
        return 0;
    }
    if (area->source_size == WHOLE_FILE) {
        if (area->offset + offset >= round_up_to_page(area->node->size)) {
            return -ENXIO;
        }
        *size = PAGE_SIZE;
    } else if (offset < area->source_size) {
        uint64_t rest = area->source_size - offset;
        *size = rest < PAGE_SIZE ? rest : PAGE_SIZE;
    } else {
        return 0;
    }
    uint64_t index = (area->offset + offset) / PAGE_SIZE;
    if (!area->is_shared) {
        return node_page(area->node, index, false, source);
    }
    if (access & PAGE_WRITE) {
        node_touch(area->node);
    }
    // A page of the image would not show what is written to the file later.
    int64_t error = node_page(area->node, index, !node_is_constant(area->node), source);
    return error == 0 && *source == NULL ? node_page(area->node, index, true, source) : error;
}

static enum fault_result add_page(const struct area *area, uint64_t page, unsigned access, uint8_t **contents)
{
    uint64_t size;
    uint8_t *source;
    int64_t error = find_source(area, page, access, &source, &size);
    if (error != 0) {
        return error == -ENXIO ? FAULT_BEYOND_END : FAULT_NO_MEMORY;
    }
    if (source != NULL && (area->is_shared || (size == PAGE_SIZE && !(access & PAGE_WRITE)))) {
        // A write to a private page makes a copy, and one to a shared page changes the file: a
        // fault tells of the first one.
        bool is_written = area->is_shared && access & PAGE_WRITE;
        unsigned permitted = area_page_access(area->access) & ~(is_written ? 0 : (unsigned)PAGE_WRITE);
        *contents = source;
        if (!page_map_shared(page, permitted, source)) {
            return FAULT_NO_MEMORY;
        }
        if (!area->is_shared) {
            working_set_note(page, access, false);
        }
        return FAULT_RESOLVED;
    }
    if (!page_map_new(page, area->access, contents)) {
        return FAULT_NO_MEMORY;
    }
    working_set_note(page, access, true);
    if (source != NULL) {
        memcpy(*contents, source, size);
    }
    return FAULT_RESOLVED;
}

// The processor cannot permit writing or executing without reading.
static bool permits(const struct area *area, unsigned access)
{
    return access & PAGE_READ ? area->access != PAGE_NONE : (area->access & access) != 0;
}

enum fault_result area_fault(uint64_t address, unsigned access, uint8_t **contents)
{
    const struct area *area = area_find(address);
    if (area == NULL) {
        return FAULT_NOT_MAPPED;
    }
    if (!permits(area, access)) {
        return FAULT_NOT_PERMITTED;
    }
    uint64_t page = page_of(address);
    bool is_shared;
    *contents = page_contents(page, &is_shared);
    // Whatever changes an entry that was present drops the processor's translation:
    // a page that is there needs nothing.
    if (*contents != NULL && is_shared && page_is_kept(page)) {
        if (!page_copy_kept(page, area->access, contents)) {
            return FAULT_NO_MEMORY;
        }
        working_set_note(page, access, true);
        return FAULT_RESOLVED;
    }
    if (*contents != NULL && !is_shared) {
        if (access & PAGE_WRITE && !page_make_own(page, area->access, contents)) {
            return FAULT_NO_MEMORY;
        }
        return FAULT_RESOLVED;
    }
    return add_page(area, page, access, contents);
}

enum fault_result area_fault_of_program(uint64_t address, unsigned access, bool is_present)
{
    const struct area *area = is_present && !(access & PAGE_WRITE) ? area_find(address) : NULL;
    uint8_t *contents;
    bool is_shared;
    if (area != NULL && permits(area, access) && page_contents(page_of(address), &is_shared) != NULL && is_shared) {
        working_set_note(page_of(address), access, false);
        // With the pages around it, which are likely to be next.
        return pages_open(page_of(address), area->start, area->end, area_page_access(area->access)) ? FAULT_RESOLVED : FAULT_NO_MEMORY;
    }
    return area_fault(address, access, &contents);
}
