// SPDX-License-Identifier: Apache-2.0
//
// The second half of initialisation, on the main stack with exceptions handled.

#include "abort.h"
#include "heap.h"
#include "hyperlight_guest_ext.h"
#include "state.h"

#include <stdlib.h>

#define HIGHEST_LOG_FILTER 5

struct hl_state hl_state;

__attribute__((weak)) void hyperlight_main(void)
{
}

void hl_initialise(const struct hl_peb *peb, uint64_t seed, uint64_t page_size,
                   uint64_t log_filter)
{
    if (log_filter > HIGHEST_LOG_FILTER) {
        hl_abort_with_text(hl_ErrorCode_UnknownError, "unknown log filter");
    }
    hl_state.peb = peb;
    hl_state.seed = seed;
    hl_state.page_size = (uint32_t)page_size;
    hl_state.log_filter = (uint32_t)log_filter;
    hl_heap_init(peb->heap.address, peb->heap.size, seed);
    srand((unsigned)((((uint64_t)peb << 8) ^ (seed >> 4)) >> 32));
    hyperlight_main();
    if (hl_state.call_end != NULL) {
        hl_state.call_end();
    }
}

uint32_t hl_page_size(void)
{
    return hl_state.page_size;
}

hl_Vec hl_init_data(void)
{
    return (hl_Vec){ (uint8_t *)hl_state.peb->init_data.address, hl_state.peb->init_data.size };
}
