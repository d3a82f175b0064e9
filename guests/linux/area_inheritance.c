// SPDX-License-Identifier: Apache-2.0

#include "area_inheritance.h"

#include "area_lists.h"
#include "node.h"
#include "physical_pages.h"

bool areas_copy(unsigned space)
{
    const struct area_list *areas = area_list_selected();
    struct area_list *copy = area_list_of(space);
    uint64_t committed = 0;
    unsigned count = 0;
    for (unsigned i = 0; i < areas->count; i++) {
        if (!areas->list[i].is_not_inherited) {
            committed += area_commitment(&areas->list[i]);
            count++;
        }
    }
    for (unsigned i = 0; i < count; i += 8) {
        copy->count = i;
        if (!area_list_has_space(copy, count - i < 8 ? count - i : 8)) {
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
    struct area_list *list = area_list_of(space);
    for (unsigned i = 0; i < list->count; i++) {
        pages_uncommit(area_commitment(&list->list[i]));
        if (list->list[i].node != NULL) {
            node_remove_mapping(list->list[i].node);
        }
    }
    list->count = 0;
}

bool areas_are_all_inherited(void)
{
    const struct area_list *areas = area_list_selected();
    for (unsigned i = 0; i < areas->count; i++) {
        if (areas->list[i].is_not_inherited || areas->list[i].is_wiped) {
            return false;
        }
    }
    return true;
}

void areas_unmap_not_inherited(void)
{
    const struct area_list *areas = area_list_selected();
    for (unsigned i = 0; i < areas->count; i++) {
        const struct area *area = &areas->list[i];
        if (area->is_not_inherited || area->is_wiped) {
            pages_unmap(area->start, area->end);
        }
    }
}
