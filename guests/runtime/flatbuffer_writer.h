// SPDX-License-Identifier: Apache-2.0
//
// Writes size-prefixed FlatBuffers messages front to back. The vtables of all
// tables a message can contain stand in a block at its start, so that a table is
// no more than its vtable's distance and its fields. Inline, so that positions
// that do not depend on the data are computed by the compiler.

#ifndef HL_FLATBUFFER_WRITER_H
#define HL_FLATBUFFER_WRITER_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

// Where the vtables are, in every message that starts with them.
enum {
    // A union: discriminator at 4, offset at 8.
    HL_VTABLE_UNION = 8,
    // One field of up to four bytes, at 4.
    HL_VTABLE_SMALL = 16,
    // One field of eight bytes, at 8.
    HL_VTABLE_WIDE = 24,
    // hlsizeprefixedbuffer: size at 4, vector at 8.
    HL_VTABLE_BYTES = 32,
    // No field at all.
    HL_VTABLE_EMPTY = 40,
    // GuestError, FunctionCall or GuestLogData.
    HL_VTABLE_ROOT_SPECIFIC = 48,
};

// The most a message needs beside its strings, vectors and parameters.
#define HL_MESSAGE_OVERHEAD 168
#define HL_PARAMETER_OVERHEAD 64

struct hl_writer {
    uint8_t *bytes;
    uint32_t position;
};

#define HL_ROOT_POSITION 72
#define HL_VTABLES_POSITION 8

// The common vtables, then that of the root or of another table that only this
// kind of message has. Aligned to eight as a whole.
struct hl_vtables {
    uint16_t entries[(HL_ROOT_POSITION - HL_VTABLES_POSITION) / 2];
};

extern const struct hl_vtables hl_result_vtables;
extern const struct hl_vtables hl_call_vtables;
extern const struct hl_vtables hl_log_vtables;

static inline void hl_write_u8(struct hl_writer *writer, uint32_t position, uint8_t value)
{
    writer->bytes[position] = value;
}

static inline void hl_write_u32(struct hl_writer *writer, uint32_t position, uint32_t value)
{
    __builtin_memcpy(writer->bytes + position, &value, sizeof value);
}

static inline void hl_write_u64(struct hl_writer *writer, uint32_t position, uint64_t value)
{
    __builtin_memcpy(writer->bytes + position, &value, sizeof value);
}

// To a multiple of eight, which suits everything. Positions are multiples of
// four except after a string.
static inline void hl_write_padding(struct hl_writer *writer)
{
    if (writer->position % 8 != 0) {
        hl_write_u64(writer, writer->position, 0);
        writer->position = (writer->position + 7) & ~7U;
    }
}

// Writes the root offset and the vtables. The root table is next.
static inline void hl_write_start(struct hl_writer *writer, uint8_t *bytes,
                                  const struct hl_vtables *vtables)
{
    writer->bytes = bytes;
    writer->position = HL_ROOT_POSITION;
    hl_write_u32(writer, 4, HL_ROOT_POSITION - 4);
    memcpy(bytes + HL_VTABLES_POSITION, vtables, sizeof *vtables);
}

// Fills in the prefix; returns the size of the message.
static inline uint32_t hl_write_finish(struct hl_writer *writer)
{
    hl_write_padding(writer);
    hl_write_u32(writer, 0, writer->position - 4);
    return writer->position;
}

// Starts a table of `size` bytes whose fields are then set by position; they are
// zero until set.
static inline uint32_t hl_write_table(struct hl_writer *writer, uint32_t vtable, uint32_t size)
{
    hl_write_padding(writer);
    uint32_t table = writer->position;
    hl_write_u32(writer, table, table - vtable);
    for (uint32_t i = 4; i < size; i += 4) {
        hl_write_u32(writer, table + i, 0);
    }
    writer->position += size;
    return table;
}

// Makes the offset at `field` point at what is written next.
static inline void hl_write_offset(struct hl_writer *writer, uint32_t field)
{
    hl_write_padding(writer);
    hl_write_u32(writer, field, writer->position - field);
}

// Room for a vector of 32-bit elements; returns the position of the first.
static inline uint32_t hl_write_vector(struct hl_writer *writer, uint32_t count)
{
    uint32_t first = writer->position + 4;
    hl_write_u32(writer, writer->position, count);
    writer->position = first + 4 * count;
    return first;
}

// A byte vector; a zero follows it, which makes it a string as well.
static inline void hl_write_bytes(struct hl_writer *writer, const void *data, size_t length)
{
    hl_write_u32(writer, writer->position, (uint32_t)length);
    memcpy(writer->bytes + writer->position + 4, data, length);
    writer->position += 4 + (uint32_t)length;
    writer->bytes[writer->position++] = 0;
}

#endif
