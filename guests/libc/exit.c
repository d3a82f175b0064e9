// SPDX-License-Identifier: Apache-2.0
//
// Ways to end the guest.

#include "hyperlight_guest_ext.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

void abort(void)
{
    hl_abort_with_bytes(0, NULL, 0);
}

void _exit(int status)
{
    hl_abort_with_bytes((uint8_t)status, NULL, 0);
}

void _Exit(int status)
{
    _exit(status);
}

void exit(int status)
{
    fflush(NULL);
    _exit(status);
}

void hl_assertion_failed(const char *condition, const char *file, int line, const char *function)
{
    char text[256];
    int length = snprintf(text, sizeof text, "assertion failed: %s, function %s, file %s, line %d",
                          condition, function, file, line);
    if (length >= (int)sizeof text) {
        length = sizeof text - 1;
    }
    hl_abort_with_bytes(hl_ErrorCode_UnknownError, text, (size_t)length);
}
