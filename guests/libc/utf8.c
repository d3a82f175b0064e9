// SPDX-License-Identifier: Apache-2.0

#include "stream.h"

#include <stdbool.h>

static bool is_continuation(unsigned char byte)
{
    return (byte & 0xC0) == 0x80;
}

// The length of the valid sequence at `at`, 0 if there is none.
static size_t sequence_length(const unsigned char *at, size_t rest)
{
    unsigned char lead = at[0];
    if (lead < 0x80) {
        return lead != 0;
    }
    if (rest < 2 || !is_continuation(at[1])) {
        return 0;
    }
    if (lead >= 0xC2 && lead <= 0xDF) {
        return 2;
    }
    if (rest < 3 || !is_continuation(at[2])) {
        return 0;
    }
    if ((lead == 0xE0 && at[1] >= 0xA0) || (lead >= 0xE1 && lead <= 0xEC) ||
        (lead == 0xED && at[1] < 0xA0) || lead == 0xEE || lead == 0xEF) {
        return 3;
    }
    if (rest < 4 || !is_continuation(at[3])) {
        return 0;
    }
    if ((lead == 0xF0 && at[1] >= 0x90) || (lead >= 0xF1 && lead <= 0xF3) ||
        (lead == 0xF4 && at[1] < 0x90)) {
        return 4;
    }
    return 0;
}

void hl_make_utf8(char *text, size_t length)
{
    for (size_t i = 0; i < length;) {
        size_t valid = sequence_length((unsigned char *)text + i, length - i);
        if (valid == 0) {
            text[i] = '?';
            valid = 1;
        }
        i += valid;
    }
}
