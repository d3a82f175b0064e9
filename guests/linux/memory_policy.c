// SPDX-License-Identifier: Apache-2.0
//
// The placement of memory: there is one node, and the default policy.

#include "areas.h"
#include "errors.h"
#include "system_calls.h"
#include "user.h"

#include <stddef.h>

#define MPOL_DEFAULT 0
#define MPOL_F_NODE 1U
#define MPOL_F_ADDR 2U
#define MPOL_F_MEMS_ALLOWED 4U

#define NODES_PER_WORD 64
#define BYTES_PER_WORD 8

// A set of nodes as the program wants it: whole words, of which the first one is used.
static bool copy_nodes(uint64_t address, uint64_t most, uint64_t nodes)
{
    uint64_t size = (most + NODES_PER_WORD - 2) / NODES_PER_WORD * BYTES_PER_WORD;
    for (uint64_t offset = 0; offset < size; offset += BYTES_PER_WORD) {
        const uint64_t word = offset == 0 ? nodes : 0;
        if (!copy_to_user(address + offset, &word, sizeof word)) {
            return false;
        }
    }
    return true;
}

int64_t system_call_get_mempolicy(const uint64_t arguments[6])
{
    const uint32_t mode = MPOL_DEFAULT;
    uint64_t nodes_address = arguments[1];
    uint64_t most = arguments[2];
    uint64_t flags = arguments[4];
    bool has_address = flags & MPOL_F_ADDR;
    bool wants_allowed = flags & MPOL_F_MEMS_ALLOWED;
    // The words of a set fit into a page.
    if (flags & ~(uint64_t)(MPOL_F_NODE | MPOL_F_ADDR | MPOL_F_MEMS_ALLOWED) ||
        (nodes_address != 0 && (most < 1 || most > PAGE_SIZE * 8)) ||
        (wants_allowed && flags & (MPOL_F_NODE | MPOL_F_ADDR)) ||
        (!wants_allowed && !has_address && (arguments[3] != 0 || flags & MPOL_F_NODE))) {
        return -EINVAL;
    }
    if (has_address && area_find(arguments[3]) == NULL) {
        return -EFAULT;
    }
    // With MPOL_F_NODE the answer is the node of a page: 0 as well.
    if (arguments[0] != 0 && !copy_to_user(arguments[0], &mode, sizeof mode)) {
        return -EFAULT;
    }
    return nodes_address == 0 || copy_nodes(nodes_address, most, wants_allowed ? 1 : 0) ? 0 : -EFAULT;
}
