// SPDX-License-Identifier: Apache-2.0

#include "areas.h"

#include "errors.h"
#include "node.h"
#include "working_set.h"

#include <string.h>

#define MOST_AREAS 16384

#define AREAS_WINDOW 0xFFFFFA0000000000UL
#define LIST_SIZE 0x100000UL

_Static_assert(MOST_AREAS * sizeof(struct area) <= LIST_SIZE, "a list for each address space");

struct area_list {
    unsigned count;
    // Its pages are added when they are used.
    struct area *list;
};

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

// Whether a number of areas more can be in a list.
static bool has_space_in(const struct area_list *list, unsigned more)
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
    return has_space_in(areas, more);
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

// What its pages permit: the processor reads what may be written, also where a copy has to be made first.
static unsigned page_access(unsigned access)
{
    return access & PAGE_WRITE ? access | PAGE_READ : access;
}

static uint64_t commitment(const struct area *area)
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
    if ((!is_joined && !has_space(1)) || !pages_commit(commitment(area))) {
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
        pages_uncommit(commitment(&areas->list[index]));
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
    uint64_t less = commitment(area);
    uint64_t more = commitment(&changed);
    if (more > less && !pages_commit(more - less)) {
        return false;
    }
    pages_uncommit(less > more ? less - more : 0);
    area->access = access;
    pages_protect(start, end, page_access(access));
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

bool areas_are_all_inherited(void)
{
    for (unsigned i = 0; i < areas->count; i++) {
        if (areas->list[i].is_not_inherited || areas->list[i].is_wiped) {
            return false;
        }
    }
    return true;
}

void areas_unmap_not_inherited(void)
{
    for (unsigned i = 0; i < areas->count; i++) {
        const struct area *area = &areas->list[i];
        if (area->is_not_inherited || area->is_wiped) {
            pages_unmap(area->start, area->end);
        }
    }
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
    if (!area_is_free(area->end, end) || (commitment(area) != 0 && !pages_commit(more))) {
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
        unsigned permitted = page_access(area->access) & ~(is_written ? 0 : (unsigned)PAGE_WRITE);
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
        return pages_open(page_of(address), area->start, area->end, page_access(area->access)) ? FAULT_RESOLVED : FAULT_NO_MEMORY;
    }
    return area_fault(address, access, &contents);
}

bool areas_copy(unsigned space)
{
    struct area_list *copy = &lists[space];
    uint64_t committed = 0;
    unsigned count = 0;
    for (unsigned i = 0; i < areas->count; i++) {
        if (!areas->list[i].is_not_inherited) {
            committed += commitment(&areas->list[i]);
            count++;
        }
    }
    for (unsigned i = 0; i < count; i += 8) {
        copy->count = i;
        if (!has_space_in(copy, count - i < 8 ? count - i : 8)) {
            copy->count = 0;
            return false;
        }
    }
    copy->count = 0;
    if (!pages_commit(committed)) {
        return false;
    }
    for (unsigned i = 0; i < areas->count; i++) {
        if (areas->list[i].is_not_inherited) {
            continue;
        }
        copy->list[copy->count++] = areas->list[i];
        if (areas->list[i].node != NULL) {
            node_add_mapping(areas->list[i].node);
        }
    }
    return true;
}

void areas_forget(unsigned space)
{
    struct area_list *list = &lists[space];
    for (unsigned i = 0; i < list->count; i++) {
        pages_uncommit(commitment(&list->list[i]));
        if (list->list[i].node != NULL) {
            node_remove_mapping(list->list[i].node);
        }
    }
    list->count = 0;
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
