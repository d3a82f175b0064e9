// SPDX-License-Identifier: Apache-2.0
//
// The vtables: size of the vtable, size of the table, then where each field is.

#include "flatbuffer_writer.h"

#define COMMON \
    8, 12, 4, 8,       /* union */ \
    6, 8, 4, 0,        /* small */ \
    6, 16, 8, 0,       /* wide */ \
    8, 12, 4, 8,       /* bytes */ \
    4, 4, 0, 0         /* empty */

// GuestError: code at 8, message at 4.
const struct hl_vtables hl_result_vtables = { { COMMON, 8, 16, 8, 4 } };

// FunctionCall: name at 4, parameters at 8, call type at 12, return type at 13.
const struct hl_vtables hl_call_vtables = { { COMMON, 12, 16, 4, 8, 12, 13 } };

// GuestLogData: message at 4, source at 8, level at 24, caller at 12, file at
// 16, line at 20.
const struct hl_vtables hl_log_vtables = { { COMMON, 16, 28, 4, 8, 24, 12, 16, 20 } };
