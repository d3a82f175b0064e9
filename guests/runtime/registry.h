// SPDX-License-Identifier: Apache-2.0
//
// The functions the guest has registered.

#ifndef HL_REGISTRY_H
#define HL_REGISTRY_H

#include "hyperlight_guest.h"

struct hl_definition {
    const char *name;
    const hl_ParameterType *types;
    hl_CGuestFunc function;
    uint32_t length;
    uint32_t hash;
    uint32_t count;
    // Index of the next definition in the same bucket.
    uint32_t next;
};

const struct hl_definition *hl_find_definition(const char *name, uint32_t length);

#endif
