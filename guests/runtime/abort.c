// SPDX-License-Identifier: Apache-2.0

#include "abort.h"

#include "cpu.h"
#include "hyperlight_guest_ext.h"
#include "ports.h"

#define TERMINATOR 0xFF
#define BYTES_PER_EXIT 3

void hl_abort_flush(struct hl_abort_writer *writer)
{
    if (writer->count != 0) {
        hl_out32(HL_PORT_ABORT, writer->word | writer->count);
        writer->word = 0;
        writer->count = 0;
    }
}

void hl_abort_put_byte(struct hl_abort_writer *writer, uint8_t byte)
{
    writer->count++;
    writer->word |= (uint32_t)byte << (8 * writer->count);
    if (writer->count == BYTES_PER_EXIT) {
        hl_abort_flush(writer);
    }
}

void hl_abort_put_text(struct hl_abort_writer *writer, const char *text)
{
    for (; *text != '\0'; text++) {
        hl_abort_put_byte(writer, (uint8_t)*text);
    }
}

void hl_abort_put_hex(struct hl_abort_writer *writer, uint64_t value)
{
    int shift = 60;
    while (shift > 0 && (value >> shift) == 0) {
        shift -= 4;
    }
    hl_abort_put_text(writer, "0x");
    for (; shift >= 0; shift -= 4) {
        unsigned digit = (value >> shift) & 0xF;
        hl_abort_put_byte(writer, digit < 10 ? '0' + digit : 'a' + digit - 10);
    }
}

void hl_abort_put_decimal(struct hl_abort_writer *writer, uint64_t value)
{
    char digits[20];
    int count = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    while (count > 0) {
        hl_abort_put_byte(writer, (uint8_t)digits[--count]);
    }
}

void hl_abort_finish(struct hl_abort_writer *writer)
{
    hl_abort_put_byte(writer, TERMINATOR);
    hl_abort_flush(writer);
    HL_STOP();
}

void hl_abort_with_text(uint8_t code, const char *text)
{
    struct hl_abort_writer writer = { 0 };
    hl_abort_put_byte(&writer, code);
    // The code goes out alone: a host that reads exits one by one has it early.
    hl_abort_flush(&writer);
    hl_abort_put_text(&writer, text);
    hl_abort_finish(&writer);
}

void hl_abort_with_bytes(uint8_t code, const void *bytes, size_t length)
{
    struct hl_abort_writer writer = { 0 };
    hl_abort_put_byte(&writer, code);
    for (size_t i = 0; i < length; i++) {
        hl_abort_put_byte(&writer, ((const uint8_t *)bytes)[i]);
    }
    hl_abort_finish(&writer);
}

void hl_abort_with_code(int32_t err)
{
    hl_abort_with_text((uint8_t)err, "");
}

void hl_abort_with_code_and_message(int32_t err, const char *message)
{
    hl_abort_with_text((uint8_t)err, message);
}
