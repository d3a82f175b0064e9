// SPDX-License-Identifier: Apache-2.0
//
// Access to the tables, vectors and strings of a size-prefixed FlatBuffers
// message. Positions are offsets from the start of the message; 0 stands for
// what is absent or lies outside of it. Inline, because a call costs more than
// most of these do.

#ifndef HL_FLATBUFFER_READER_H
#define HL_FLATBUFFER_READER_H

#include <stdbool.h>
#include <stdint.h>

#define HL_PREFIX_SIZE 4

struct hl_message {
    uint8_t *bytes;
    uint32_t size;
};

// A table whose extent and whose vtable are known to lie inside the message. All
// zero for a table that is absent: it has no fields.
struct hl_table {
    uint32_t position;
    uint32_t size;
    uint32_t vtable;
    uint32_t vtable_size;
};

static inline bool hl_inside(const struct hl_message *message, uint32_t position, uint32_t size)
{
    return (uint64_t)position + size <= message->size;
}

static inline uint16_t hl_load16(const struct hl_message *message, uint32_t position)
{
    uint16_t value;
    __builtin_memcpy(&value, message->bytes + position, sizeof value);
    return value;
}

static inline uint32_t hl_load32(const struct hl_message *message, uint32_t position)
{
    uint32_t value;
    __builtin_memcpy(&value, message->bytes + position, sizeof value);
    return value;
}

static inline uint64_t hl_load64(const struct hl_message *message, uint32_t position)
{
    uint64_t value;
    __builtin_memcpy(&value, message->bytes + position, sizeof value);
    return value;
}

// What the offset at a position inside the message points at: at least four
// bytes.
static inline uint32_t hl_target(const struct hl_message *message, uint32_t position)
{
    uint64_t target = (uint64_t)position + hl_load32(message, position);
    return target + 4 <= message->size ? (uint32_t)target : 0;
}

static inline struct hl_table hl_open_table(const struct hl_message *message, uint32_t position)
{
    const struct hl_table absent = { 0 };
    if (position == 0) {
        return absent;
    }
    // The distance is signed; modulo 2^32 the subtraction is right either way.
    struct hl_table table = { .position = position,
                              .vtable = position - hl_load32(message, position) };
    if (!hl_inside(message, table.vtable, 4)) {
        return absent;
    }
    table.vtable_size = hl_load16(message, table.vtable);
    table.size = hl_load16(message, table.vtable + 2);
    if (!hl_inside(message, table.vtable, table.vtable_size) ||
        !hl_inside(message, position, table.size)) {
        return absent;
    }
    return table;
}

// The position of a field of `size` bytes.
static inline uint32_t hl_field(const struct hl_message *message, const struct hl_table *table,
                                unsigned slot, uint32_t size)
{
    uint32_t entry = 4 + 2 * slot;
    if (entry + 2 > table->vtable_size) {
        return 0;
    }
    uint32_t offset = hl_load16(message, table->vtable + entry);
    return offset != 0 && offset + size <= table->size ? table->position + offset : 0;
}

static inline uint32_t hl_field_target(const struct hl_message *message,
                                       const struct hl_table *table, unsigned slot)
{
    uint32_t field = hl_field(message, table, slot, 4);
    return field == 0 ? 0 : hl_target(message, field);
}

static inline uint8_t hl_field_u8(const struct hl_message *message, const struct hl_table *table,
                                  unsigned slot)
{
    uint32_t field = hl_field(message, table, slot, 1);
    return field == 0 ? 0 : message->bytes[field];
}

static inline uint32_t hl_field_u32(const struct hl_message *message,
                                    const struct hl_table *table, unsigned slot)
{
    uint32_t field = hl_field(message, table, slot, 4);
    return field == 0 ? 0 : hl_load32(message, field);
}

static inline uint64_t hl_field_u64(const struct hl_message *message,
                                    const struct hl_table *table, unsigned slot)
{
    uint32_t field = hl_field(message, table, slot, 8);
    return field == 0 ? 0 : hl_load64(message, field);
}

// The first element of a vector field, 0 if it is absent or broken. An empty
// vector is present.
static inline uint32_t hl_field_vector(const struct hl_message *message,
                                       const struct hl_table *table, unsigned slot,
                                       uint32_t element_size, uint32_t *count)
{
    uint32_t vector = hl_field_target(message, table, slot);
    *count = 0;
    if (vector == 0) {
        return 0;
    }
    uint32_t length = hl_load32(message, vector);
    if ((uint64_t)length * element_size > message->size - vector - 4) {
        return 0;
    }
    *count = length;
    return vector + 4;
}

static inline struct hl_table hl_root_table(const struct hl_message *message)
{
    uint32_t root = hl_inside(message, HL_PREFIX_SIZE, 4) ? hl_target(message, HL_PREFIX_SIZE) : 0;
    return hl_open_table(message, root);
}

// The table a field points at.
static inline struct hl_table hl_field_table(const struct hl_message *message,
                                             const struct hl_table *table, unsigned slot)
{
    return hl_open_table(message, hl_field_target(message, table, slot));
}

#endif
