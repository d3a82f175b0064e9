// SPDX-License-Identifier: Apache-2.0

#ifndef HL_EXCEPTIONS_H
#define HL_EXCEPTIONS_H

#include "hyperlight_guest_ext.h"

#define HL_VECTOR_PAGE_FAULT 14
#define HL_EXCEPTION_STUB_SIZE 16

// Stubs for the vectors 0 to 20 and 30, in this order, HL_EXCEPTION_STUB_SIZE
// bytes apart.
extern const char hl_exception_stubs[];

struct hl_exception_frame {
    hl_ExceptionContext context;
    hl_ExceptionInfo info;
};

void hl_handle_exception(struct hl_exception_frame *frame);

#endif
