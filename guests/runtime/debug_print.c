// SPDX-License-Identifier: Apache-2.0

#include "hyperlight_guest_ext.h"
#include "ports.h"

void hl_debug_print(const char *text)
{
    for (; *text != '\0'; text++) {
        hl_out32(HL_PORT_DEBUG_PRINT, (uint8_t)*text);
    }
}
