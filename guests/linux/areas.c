// SPDX-License-Identifier: Apache-2.0

#include "areas.h"

#include "area_lists.h"
#include "kernel_mappings.h"
#include "node.h"
#include "physical_pages.h"
#include "snapshot_pages.h"

#include <string.h>

#define MOST_AREAS 16384

#define AREAS_WINDOW 0xFFFFFA0000000000UL
#define LIST_SIZE 0x100000UL

_Static_assert(MOST_AREAS * sizeof(struct area) <= LIST_SIZE, "a list for each address space");

static struct area_list lists[MOST_ADDRESS_SPACES];
static struct area_list *areas = lists;

void areas_start(void)
{
    for (unsigned i = 0; i < MOST_ADDRESS_SPACES; i++) {
        lists[i] = (struct area_list){ 0, (struct area *)(AREAS_WINDOW + i * LIST_SIZE) };
    }
    areas = lists;
}

void areas_select(unsigned space)
{
    areas = &lists[space];
}

const struct area_list *area_list_selected(void)
{
    return areas;
}

struct area_list *area_list_of(unsigned space)
{
    return &lists[space];
}

bool area_list_has_space(const struct area_list *list, unsigned more)
{
    uint64_t start = (uint64_t)&list->list[list->count];
    uint64_t end = (uint64_t)&list->list[list->count + more];
    if (list->count + more > MOST_AREAS) {
        return false;
    }
    for (uint64_t page = page_of(start); page < end; page += PAGE_SIZE) {
        if (!kernel_is_mapped(page) && !kernel_map_new(page)) {
            return false;
        }
    }
    return true;
}

static bool has_space(unsigned more)
{
    return area_list_has_space(areas, more);
}

const struct area *area_at(unsigned index)
{
    return index < areas->count ? &areas->list[index] : NULL;
}

// The first area that ends after an address.
static unsigned index_of(uint64_t address)
{
    unsigned low = 0;
    unsigned high = areas->count;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (areas->list[middle].end <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool contains(unsigned index, uint64_t address)
{
    return index < areas->count && areas->list[index].start <= address && address < areas->list[index].end;
}

struct area *area_find(uint64_t address)
{
    // Most are the one that was found last.
    static unsigned index;
    if (!contains(index, address)) {
        index = index_of(address);
    }
    return contains(index, address) ? &areas->list[index] : NULL;
}

const struct area *area_after(uint64_t address)
{
    return area_at(index_of(address));
}

uint64_t areas_size(uint64_t start, uint64_t end)
{
    uint64_t size = 0;
    for (unsigned i = index_of(start); i < areas->count && areas->list[i].start < end; i++) {
        const struct area *area = &areas->list[i];
        size += (area->end < end ? area->end : end) - (area->start > start ? area->start : start);
    }
    return size;
}

bool area_is_free(uint64_t start, uint64_t end)
{
    unsigned index = index_of(start);
    return index == areas->count || areas->list[index].start >= end;
}

uint64_t area_find_free(uint64_t size, uint64_t below)
{
    uint64_t end = below;
    for (unsigned i = index_of(below); ; i--) {
        // Between the area before, or the start, and `end`.
        if (i < areas->count && areas->list[i].start < end) {
            end = areas->list[i].start;
        }
        uint64_t start = i == 0 ? PROGRAM_START : areas->list[i - 1].end;
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
    memmove(&areas->list[index + 1], &areas->list[index],
            (areas->count - index) * sizeof areas->list[0]);
    areas->list[index] = *area;
    areas->count++;
}

static void erase(unsigned first, unsigned end)
{
    if (first != end) {
        memmove(&areas->list[first], &areas->list[end], (areas->count - end) * sizeof areas->list[0]);
        areas->count -= end - first;
    }
}

uint64_t area_commitment(const struct area *area)
{
    return area->is_committed && area->access & PAGE_WRITE ? (area->end - area->start) / PAGE_SIZE : 0;
}

// Whether the second area continues the first one, so that they can be one.
static bool continues(const struct area *first, const struct area *second)
{
    bool is_same_source = first->node == NULL || (first->source_size == WHOLE_FILE && second->source_size == WHOLE_FILE &&
                                                  first->offset + (first->end - first->start) == second->offset);
    return first->end == second->start && first->node == second->node && is_same_source &&
           first->access == second->access && first->is_committed == second->is_committed &&
           first->is_shared == second->is_shared && first->can_write_file == second->can_write_file &&
           first->is_not_inherited == second->is_not_inherited && first->is_wiped == second->is_wiped;
}

void areas_join(uint64_t start, uint64_t end)
{
    unsigned last = index_of(start);
    last = last != 0 ? last - 1 : 0;
    unsigned next = last + 1;
    for (; next < areas->count && areas->list[next].start <= end; next++) {
        const struct area *area = &areas->list[next];
        if (!continues(&areas->list[last], area)) {
            areas->list[++last] = *area;
            continue;
        }
        areas->list[last].end = area->end;
        if (area->node != NULL) {
            node_remove_mapping(area->node);
        }
    }
    erase(last + 1, next);
}

bool area_add(const struct area *area)
{
    unsigned index = index_of(area->start);
    struct area *former = index > 0 ? &areas->list[index - 1] : NULL;
    bool is_joined = former != NULL && continues(former, area);
    if ((!is_joined && !has_space(1)) || !pages_commit(area_commitment(area))) {
        return false;
    }
    if (is_joined) {
        former->end = area->end;
        areas_join(area->end, area->end);
        return true;
    }
    insert(index, area);
    if (area->node != NULL) {
        node_add_mapping(area->node);
    }
    areas_join(area->end, area->end);
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
    if (second.node != NULL) {
        second.offset += length;
        if (second.source_size != WHOLE_FILE) {
            second.source_size = second.source_size > length ? second.source_size - length : 0;
        }
        node_add_mapping(second.node);
    }
    insert(index_of(address), &second);
}

static bool is_boundary(uint64_t address)
{
    const struct area *area = area_find(address);
    return area == NULL || area->start == address;
}

// Whole areas can be removed or changed when there is no space for more.
static bool divide_at_both(uint64_t start, uint64_t end)
{
    if (!has_space((is_boundary(start) ? 0 : 1) + (is_boundary(end) ? 0 : 1))) {
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
    unsigned first = index_of(start);
    unsigned index = first;
    // Before the files are released.
    pages_unmap(start, end);
    for (; index < areas->count && areas->list[index].start < end; index++) {
        pages_uncommit(area_commitment(&areas->list[index]));
        if (areas->list[index].node != NULL) {
            node_remove_mapping(areas->list[index].node);
        }
    }
    erase(first, index);
    return true;
}

void areas_clear(void)
{
    while (areas->count != 0) {
        areas_remove(areas->list[areas->count - 1].start, areas->list[areas->count - 1].end);
    }
}

bool area_protect(uint64_t start, uint64_t end, unsigned access)
{
    if (!divide_at_both(start, end)) {
        return false;
    }
    struct area *area = area_find(start);
    struct area changed = *area;
    changed.access = access;
    uint64_t less = area_commitment(area);
    uint64_t more = area_commitment(&changed);
    if (more > less && !pages_commit(more - less)) {
        return false;
    }
    pages_uncommit(less > more ? less - more : 0);
    area->access = access;
    pages_protect(start, end, area_page_access(access));
    return true;
}

bool area_set_inheritance(uint64_t start, uint64_t end, bool is_not_inherited, bool is_wiped)
{
    const struct area *area = area_find(start);
    if (area->is_not_inherited == is_not_inherited && area->is_wiped == is_wiped) {
        return true;
    }
    if (!divide_at_both(start, end)) {
        return false;
    }
    struct area *changed = area_find(start);
    changed->is_not_inherited = is_not_inherited;
    changed->is_wiped = is_wiped;
    return true;
}

bool areas_cover(uint64_t start, uint64_t end)
{
    for (unsigned i = index_of(start); i < areas->count && areas->list[i].start <= start; i++) {
        start = areas->list[i].end;
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
    if (!area_is_free(area->end, end) || (area_commitment(area) != 0 && !pages_commit(more))) {
        return false;
    }
    area->end = end;
    areas_join(end, end);
    return true;
}

bool area_move(uint64_t start, uint64_t size, uint64_t new_start, uint64_t new_size)
{
    const struct area *found = area_find(start);
    struct area moved = *found;
    uint64_t before = start - moved.start;
    moved.start = new_start;
    moved.end = new_start + new_size;
    moved.offset += before;
    if (moved.node != NULL && moved.source_size != WHOLE_FILE) {
        moved.source_size = moved.source_size > before ? moved.source_size - before : 0;
    }
    // The old part is not counted while the new one is added: one of them goes.
    uint64_t old_commitment = moved.is_committed && moved.access & PAGE_WRITE ? size / PAGE_SIZE : 0;
    pages_uncommit(old_commitment);
    bool is_added = has_space(3) && area_add(&moved);
    pages_commit_again(old_commitment);
    if (!is_added) {
        return false;
    }
    if (!pages_move(start, new_start, size)) {
        areas_remove(new_start, new_start + new_size);
        return false;
    }
    areas_remove(start, start + size);
    return true;
}

void areas_unmap_file(const struct node *node, uint64_t offset)
{
    for (unsigned i = 0; i < areas->count; i++) {
        const struct area *area = &areas->list[i];
        uint64_t kept = offset > area->offset ? offset - area->offset : 0;
        // A program that was loaded from the file keeps what it has.
        if (area->node == node && area->source_size == WHOLE_FILE && kept < area->end - area->start) {
            pages_unmap(area->start + kept, area->end);
        }
    }
}

void areas_prepare_snapshot(void)
{
    for (unsigned i = 0; i < areas->count; i++) {
        if (areas->list[i].node != NULL) {
            pages_unmap_shared(areas->list[i].start, areas->list[i].end);
        }
    }
}
