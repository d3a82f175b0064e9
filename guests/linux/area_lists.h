// SPDX-License-Identifier: Apache-2.0
//
// The lists of areas, for the files that define what areas do.

#ifndef LINUX_AREA_LISTS_H
#define LINUX_AREA_LISTS_H

#include "areas.h"

struct area_list {
    unsigned count;
    // Its pages are added when they are used.
    struct area *list;
};

// The selected one, and that of an address space.
const struct area_list *area_list_selected(void);
struct area_list *area_list_of(unsigned space);

// Whether a number of areas more can be in a list.
bool area_list_has_space(const struct area_list *list, unsigned more);

// How many pages an area counts before they are used.
uint64_t area_commitment(const struct area *area);

// What its pages permit: the processor reads what may be written, also where a copy has to be made first.
static inline unsigned area_page_access(unsigned access)
{
    return access & PAGE_WRITE ? access | PAGE_READ : access;
}

#endif
