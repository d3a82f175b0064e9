// SPDX-License-Identifier: Apache-2.0

#include "working_set.h"

#include "address_space.h"
#include "areas.h"
#include "pages.h"

#include <string.h>

// 8 MiB; what a program uses besides is found by page faults.
#define MOST_PAGES 2048

#define ACCESS_MASK 7UL
#define OWN_PAGE 8UL

static struct {
    bool is_recorded;
    uint32_t count;
    // Addresses of pages, with the access and OWN_PAGE in their lowest bits.
    uint64_t pages[MOST_PAGES];
} set;

void working_set_record(void)
{
    set.is_recorded = true;
    set.count = 0;
}

void working_set_note(uint64_t page, unsigned access, bool is_own)
{
    if (set.is_recorded && set.count < MOST_PAGES) {
        set.pages[set.count++] = page | (access & ACCESS_MASK) | (is_own ? OWN_PAGE : 0);
    }
}

const uint8_t *working_set_recorded(size_t *size)
{
    *size = set.count * sizeof set.pages[0];
    return (const uint8_t *)set.pages;
}

// In the order of the addresses: most pages have the page table of the one before.
static void insert(uint64_t entry)
{
    uint32_t place = set.count;
    while (place > 0 && page_of(set.pages[place - 1]) > page_of(entry)) {
        place--;
    }
    if (place > 0 && page_of(set.pages[place - 1]) == page_of(entry)) {
        return;
    }
    memmove(&set.pages[place + 1], &set.pages[place], (set.count - place) * sizeof set.pages[0]);
    set.pages[place] = entry;
    set.count++;
}

bool working_set_keep(const uint8_t *bytes, size_t size)
{
    if (size % sizeof set.pages[0] != 0 || size > sizeof set.pages) {
        return false;
    }
    // What these pages take is part of the snapshot, and no memory of a run.
    pages_continue(UINT64_MAX);
    address_space_continue();
    set.count = 0;
    for (size_t offset = 0; offset < size; offset += sizeof set.pages[0]) {
        uint64_t entry;
        memcpy(&entry, bytes + offset, sizeof entry);
        if (!(entry & OWN_PAGE)) {
            (void)area_fault_of_program(page_of(entry), entry & ACCESS_MASK, true);
        } else if (area_find(entry) != NULL) {
            // The others belong to areas that the program adds after its checkpoint.
            insert(entry);
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
