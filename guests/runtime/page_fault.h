// SPDX-License-Identifier: Apache-2.0

#ifndef HL_PAGE_FAULT_H
#define HL_PAGE_FAULT_H

#include <stdbool.h>
#include <stdint.h>

// Grows the main stack or copies a copy-on-write page. False if the fault is
// neither.
bool hl_handle_page_fault(uint64_t error_code, uint64_t address);

#endif
