// SPDX-License-Identifier: Apache-2.0

#include "areas.h"

#include <string.h>

// One less for each of two divisions of an area.
#define MOST_AREAS 1024

static struct {
    struct area list[MOST_AREAS];
    unsigned count;
    // Pages.
    uint64_t committed;
} areas;

void areas_clear(void)
{
    areas.count = 0;
    areas.committed = 0;
}

// The first area that ends after an address.
static unsigned index_of(uint64_t address)
{
    unsigned low = 0;
    unsigned high = areas.count;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (areas.list[middle].end <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct area *area_find(uint64_t address)
{
    unsigned index = index_of(address);
    return index < areas.count && areas.list[index].start <= address ? &areas.list[index] : NULL;
}

bool area_is_free(uint64_t start, uint64_t end)
{
    unsigned index = index_of(start);
    return index == areas.count || areas.list[index].start >= end;
}

uint64_t area_find_free(uint64_t size, uint64_t below)
{
    uint64_t end = below;
    for (unsigned i = index_of(below); ; i--) {
        // Between the area before, or the start, and `end`.
        if (i < areas.count && areas.list[i].start < end) {
            end = areas.list[i].start;
        }
        uint64_t start = i == 0 ? PROGRAM_START : areas.list[i - 1].end;
        if (start < end && end - start >= size) {
            return end - size;
        }
        if (i == 0) {
            return 0;
        }
    }
}

static void insert(unsigned index, const struct area *area)
{
    memmove(&areas.list[index + 1], &areas.list[index],
            (areas.count - index) * sizeof areas.list[0]);
    areas.list[index] = *area;
    areas.count++;
}

static void erase(unsigned index)
{
    areas.count--;
    memmove(&areas.list[index], &areas.list[index + 1],
            (areas.count - index) * sizeof areas.list[0]);
}

static uint64_t commitment(const struct area *area)
{
    return area->is_committed && area->access & PAGE_WRITE ? (area->end - area->start) / PAGE_SIZE : 0;
}

static bool commit(uint64_t pages)
{
    if (pages > pages_limit() || areas.committed > pages_limit() - pages) {
        return false;
    }
    areas.committed += pages;
    return true;
}

bool area_add(const struct area *area)
{
    if (areas.count == MOST_AREAS || !commit(commitment(area))) {
        return false;
    }
    insert(index_of(area->start), area);
    return true;
}

// Makes `address` a boundary, if it is inside an area. The caller has checked that
// there is space.
static void divide(uint64_t address)
{
    struct area *area = area_find(address);
    if (area == NULL || area->start == address) {
        return;
    }
    struct area second = *area;
    uint64_t length = address - area->start;
    area->end = address;
    second.start = address;
    if (second.source != NULL && second.source_size > length) {
        area->source_size = length;
        second.source += length;
        second.source_size -= length;
    } else {
        second.source = NULL;
        second.source_size = 0;
    }
    insert(index_of(address), &second);
}

static bool divide_at_both(uint64_t start, uint64_t end)
{
    if (areas.count > MOST_AREAS - 2) {
        return false;
    }
    divide(start);
    divide(end);
    return true;
}

bool areas_remove(uint64_t start, uint64_t end)
{
    if (area_is_free(start, end)) {
        return true;
    }
    if (!divide_at_both(start, end)) {
        return false;
    }
    unsigned index = index_of(start);
    while (index < areas.count && areas.list[index].start < end) {
        areas.committed -= commitment(&areas.list[index]);
        erase(index);
    }
    pages_unmap(start, end);
    return true;
}

bool areas_protect(uint64_t start, uint64_t end, unsigned access)
{
    if (!divide_at_both(start, end)) {
        return false;
    }
    uint64_t more = 0;
    uint64_t less = 0;
    for (unsigned i = index_of(start); i < areas.count && areas.list[i].start < end; i++) {
        struct area changed = areas.list[i];
        less += commitment(&changed);
        changed.access = access;
        more += commitment(&changed);
    }
    if (more > less && !commit(more - less)) {
        return false;
    }
    areas.committed -= less > more ? less - more : 0;
    for (unsigned i = index_of(start); i < areas.count && areas.list[i].start < end; i++) {
        areas.list[i].access = access;
    }
    pages_protect(start, end, access);
    return true;
}

bool areas_cover(uint64_t start, uint64_t end)
{
    for (unsigned i = index_of(start); i < areas.count && areas.list[i].start <= start; i++) {
        start = areas.list[i].end;
        if (start >= end) {
            return true;
        }
    }
    return false;
}

bool area_resize(struct area *area, uint64_t end)
{
    if (end < area->end) {
        return areas_remove(end, area->end);
    }
    uint64_t more = (end - area->end) / PAGE_SIZE;
    if (!area_is_free(area->end, end) || (commitment(area) != 0 && !commit(more))) {
        return false;
    }
    area->end = end;
    return true;
}

// The kernel's address of the page of the image that an area has at a place.
// NULL if the place is zero.
static const uint8_t *source_of(const struct area *area, uint64_t page, uint64_t *size)
{
    uint64_t offset = page - area->start;
    if (area->source == NULL || offset >= area->source_size) {
        *size = 0;
        return NULL;
    }
    uint64_t rest = area->source_size - offset;
    *size = rest < PAGE_SIZE ? rest : PAGE_SIZE;
    return area->source + offset;
}

static enum fault_result add_page(const struct area *area, uint64_t page, unsigned access,
                                  uint8_t **contents)
{
    uint64_t size;
    const uint8_t *source = source_of(area, page, &size);
    if (size == PAGE_SIZE && !(access & PAGE_WRITE)) {
        *contents = (uint8_t *)source;
        return page_map_shared(page, area->access, source) ? FAULT_RESOLVED : FAULT_NO_MEMORY;
    }
    if (!page_map_new(page, area->access, contents)) {
        return FAULT_NO_MEMORY;
    }
    if (source != NULL) {
        memcpy(*contents, source, size);
    }
    return FAULT_RESOLVED;
}

enum fault_result area_fault(uint64_t address, unsigned access, uint8_t **contents)
{
    const struct area *area = area_find(address);
    if (area == NULL) {
        return FAULT_NOT_MAPPED;
    }
    // The processor cannot permit writing or executing without reading.
    bool is_permitted = access & PAGE_READ ? area->access != PAGE_NONE : (area->access & access) != 0;
    if (!is_permitted) {
        return FAULT_NOT_PERMITTED;
    }
    uint64_t page = page_of(address);
    bool is_shared;
    *contents = page_contents(page, &is_shared);
    if (*contents == NULL) {
        return add_page(area, page, access, contents);
    }
    if (!is_shared) {
        page_refresh(page);
        return FAULT_RESOLVED;
    }
    if (access & PAGE_WRITE) {
        return add_page(area, page, access, contents);
    }
    uint64_t size;
    *contents = (uint8_t *)source_of(area, page, &size);
    page_refresh(page);
    return FAULT_RESOLVED;
}
