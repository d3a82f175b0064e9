// SPDX-License-Identifier: Apache-2.0
//
// Encoded results of guest functions.

#ifndef HL_RESULT_H
#define HL_RESULT_H

#include "hyperlight_guest_ext.h"

// The bit patterns behind the floating-point results, for both modes.
hl_Vec *hl_result_from_float_bits(uint32_t bits);
hl_Vec *hl_result_from_double_bits(uint64_t bits);

hl_Vec *hl_result_from_error_bytes(uint64_t code, const char *message, size_t length);

// What hl_set_error left for the running call, NULL if nothing; taken once.
hl_Vec *hl_take_pending_error(void);

#endif
