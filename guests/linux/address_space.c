// SPDX-License-Identifier: Apache-2.0

#include "address_space.h"

#include "area_inheritance.h"
#include "areas.h"
#include "root_tables.h"

#include <string.h>

static struct address_space spaces[MOST_ADDRESS_SPACES];

static unsigned index_of(const struct address_space *space)
{
    return (unsigned)(space - spaces);
}

struct address_space *address_spaces_start(void)
{
    memset(spaces, 0, sizeof spaces);
    spaces[0] = (struct address_space){ .references = 1, .root = pages_root() };
    return &spaces[0];
}

struct address_space *address_space_create(void)
{
    // Not the first one: its tables are those of the kernel.
    for (unsigned i = 1; i < MOST_ADDRESS_SPACES; i++) {
        if (spaces[i].references == 0) {
            uint64_t root = pages_create_root();
            spaces[i] = (struct address_space){ .references = root != 0, .root = root };
            return root != 0 ? &spaces[i] : NULL;
        }
    }
    return NULL;
}

struct address_space *address_space_copy(const struct address_space *current)
{
    struct address_space *space = address_space_create();
    if (space != NULL && (!areas_copy(index_of(space)) || !pages_copy_to_root(space->root))) {
        address_space_release(space);
        return NULL;
    }
    if (space != NULL && !areas_are_all_inherited()) {
        pages_select_root(space->root);
        areas_unmap_not_inherited();
        pages_select_root(current->root);
    }
    return space;
}

void address_space_retain(struct address_space *space)
{
    space->references++;
}

void address_space_release(struct address_space *space)
{
    if (--space->references != 0) {
        return;
    }
    if (space->root == spaces[0].root) {
        // The kernel keeps its tables.
        address_space_select(space);
        areas_clear();
        return;
    }
    pages_free_root(space->root);
    areas_forget(index_of(space));
}

void address_spaces_unmap_file(const struct node *node, uint64_t offset)
{
    const struct address_space *current = NULL;
    uint64_t root = pages_root();
    for (unsigned i = 0; i < MOST_ADDRESS_SPACES; i++) {
        if (spaces[i].references != 0) {
            current = spaces[i].root == root ? &spaces[i] : current;
            address_space_select(&spaces[i]);
            areas_unmap_file(node, offset);
        }
    }
    address_space_select(current);
}

void address_space_select(const struct address_space *space)
{
    areas_select(index_of(space));
    pages_select_root(space->root);
}

void address_space_select_kernel(void)
{
    pages_select_root(spaces[0].root);
}

bool address_space_become_kernel(void)
{
    unsigned references = 0;
    for (unsigned i = 0; i < MOST_ADDRESS_SPACES; i++) {
        references += spaces[i].references;
    }
    // The tables of the kernel's pages are the same in all address spaces.
    spaces[0].root = references == 1 ? pages_root() : spaces[0].root;
    return references == 1;
}

void address_space_continue(void)
{
    for (unsigned i = 0; i < MOST_ADDRESS_SPACES; i++) {
        spaces[i].root = pages_root();
    }
}
