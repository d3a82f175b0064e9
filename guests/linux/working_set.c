// SPDX-License-Identifier: Apache-2.0

#include "working_set.h"

#include "address_space.h"
#include "area_faults.h"
#include "areas.h"
#include "node.h"
#include "pages.h"
#include "physical_pages.h"
#include "root_tables.h"
#include "snapshot_pages.h"

#include <string.h>

// 16 MiB; what a program uses besides is found by page faults.
#define MOST_PAGES 4096
// A hash table with twice as many places.
#define PLACE_BITS 13
#define PLACES (1U << PLACE_BITS)
#define MULTIPLIER 0x9E3779B97F4A7C15UL

#define ACCESS_MASK 7UL
#define OWN_PAGE 8UL

static struct {
    bool is_recorded;
    // The address space of the checkpoint.
    uint64_t root;
    uint32_t count;
    // Addresses of pages, with the access and OWN_PAGE in their lowest bits: while they are
    // recorded, a hash table with zeroes between them; a list then.
    uint64_t pages[PLACES];
} set;

void working_set_record(void)
{
    memset(&set, 0, sizeof set);
    set.is_recorded = true;
    set.root = pages_root();
}

void working_set_note(uint64_t page, unsigned access, bool is_own)
{
    if (!set.is_recorded || pages_root() != set.root) {
        return;
    }
    uint32_t place = (uint32_t)(page / PAGE_SIZE * MULTIPLIER >> (64 - PLACE_BITS));
    while (set.pages[place] != 0 && page_of(set.pages[place]) != page) {
        place = (place + 1) % PLACES;
    }
    uint64_t former = set.pages[place];
    if (former == 0 && set.count == MOST_PAGES) {
        return;
    }
    set.count += former == 0;
    if (former == 0 || (is_own && !(former & OWN_PAGE))) {
        set.pages[place] = page | (access & ACCESS_MASK) | (is_own ? OWN_PAGE : 0);
    }
}

const uint8_t *working_set_recorded(size_t *size)
{
    uint32_t count = 0;
    for (uint32_t place = 0; place < PLACES; place++) {
        if (set.pages[place] != 0) {
            set.pages[count++] = set.pages[place];
        }
    }
    set.is_recorded = false;
    *size = count * sizeof set.pages[0];
    return (const uint8_t *)set.pages;
}

// Whether a page is the same for each run until it uses it. Of a file that the program can change
// it would find what is in its mapping now, and not what it has written until then.
static bool is_constant_page(uint64_t page)
{
    const struct area *area = area_find(page);
    return area != NULL && !area->is_shared && (area->node == NULL || node_is_constant(area->node));
}

bool working_set_keep(const uint8_t *bytes, size_t size)
{
    if (size % sizeof set.pages[0] != 0 || size > MOST_PAGES * sizeof set.pages[0]) {
        return false;
    }
    // These pages are part of the snapshot, and no memory of a run; only their page tables take some.
    pages_continue(UINT64_MAX);
    address_space_continue();
    set.count = 0;
    uint64_t last = 0;
    for (size_t offset = 0; offset < size; offset += sizeof set.pages[0]) {
        uint64_t entry;
        memcpy(&entry, bytes + offset, sizeof entry);
        uint64_t page = page_of(entry);
        if (page <= last) {
            return false;
        }
        last = page;
        // The others belong to areas that the program adds after its checkpoint.
        if (!is_constant_page(page)) {
            continue;
        }
        if (entry & OWN_PAGE) {
            set.pages[set.count++] = entry;
        } else {
            (void)area_fault_of_program(page, entry & ACCESS_MASK, true);
        }
    }
    areas_prepare_snapshot();
    pages_prepare_snapshot();
    return true;
}

void working_set_prepare(void)
{
    bool was_permitted = pages_permit_user_access(true);
    for (uint32_t i = 0; i < set.count && pages_used() < pages_limit() / 2; i++) {
        uint8_t *contents;
        (void)area_fault(page_of(set.pages[i]), set.pages[i] & ACCESS_MASK, &contents);
    }
    pages_permit_user_access(was_permitted);
}
