// SPDX-License-Identifier: Apache-2.0

#include "seed.h"

#include "hyperlight_guest_ext.h"
#include "layout.h"
#include "state.h"

#include <stdlib.h>

// The host's request: the upper half says whether there is one, the lower half
// is the seed. It is looked at when a random number is asked for, not at every
// call: most guests never ask, and would pay with a copied page.
void hl_take_new_seed(void)
{
    uint64_t request = *HL_SEED_SLOT;
    if (request >> 32 == 0) {
        return;
    }
    *HL_SEED_SLOT = 0;
    hl_state.seed = (hl_state.seed ^ (uint32_t)request) * 0x9E3779B97F4A7C15UL;
    srand((unsigned)request);
}

uint64_t hl_seed(void)
{
    hl_take_new_seed();
    return hl_state.seed;
}
