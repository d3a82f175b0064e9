// SPDX-License-Identifier: Apache-2.0
//
// What the runtime remembers about its host.

#ifndef HL_STATE_H
#define HL_STATE_H

#include "layout.h"

#include <stdint.h>

struct hl_state {
    const struct hl_peb *peb;
    uint64_t seed;
    uint32_t page_size;
    uint32_t log_filter;
    // Called when a guest function has returned, before its result is sent.
    void (*call_end)(void);
};

extern struct hl_state hl_state;

#endif
