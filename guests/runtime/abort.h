// SPDX-License-Identifier: Apache-2.0
//
// Ending the guest with a message, three bytes per exit. Needs no memory but the
// stack, so that it works at any time, exceptions included.

#ifndef HL_ABORT_H
#define HL_ABORT_H

#include <stddef.h>
#include <stdint.h>

struct hl_abort_writer {
    uint32_t word;
    uint32_t count;
};

void hl_abort_put_byte(struct hl_abort_writer *writer, uint8_t byte);
void hl_abort_put_text(struct hl_abort_writer *writer, const char *text);
void hl_abort_put_hex(struct hl_abort_writer *writer, uint64_t value);
void hl_abort_put_decimal(struct hl_abort_writer *writer, uint64_t value);
void hl_abort_flush(struct hl_abort_writer *writer);

__attribute__((noreturn)) void hl_abort_finish(struct hl_abort_writer *writer);
__attribute__((noreturn)) void hl_abort_with_text(uint8_t code, const char *text);

#endif
