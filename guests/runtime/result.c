// SPDX-License-Identifier: Apache-2.0

#include "result.h"

#include "flatbuffer_writer.h"

#include <stdlib.h>
#include <string.h>

enum {
    RESULT_VALUE = 1,
    RESULT_ERROR = 2,
};

static hl_Vec *pending_error;

// One allocation holds the vector and the bytes it describes.
static hl_Vec *start(struct hl_writer *writer, size_t length)
{
    hl_Vec *result = malloc(sizeof *result + HL_MESSAGE_OVERHEAD + length);
    result->data = (uint8_t *)(result + 1);
    hl_write_start(writer, result->data, &hl_result_vtables);
    return result;
}

static hl_Vec *finish(struct hl_writer *writer, hl_Vec *result)
{
    result->len = hl_write_finish(writer);
    return result;
}

static void write_union(struct hl_writer *writer, uint8_t type)
{
    uint32_t table = hl_write_table(writer, HL_VTABLE_UNION, 12);
    hl_write_u8(writer, table + 4, type);
    hl_write_offset(writer, table + 8);
}

static hl_Vec *start_value(struct hl_writer *writer, hl_ReturnType type, size_t length)
{
    hl_Vec *result = start(writer, length);
    write_union(writer, RESULT_VALUE);
    write_union(writer, (uint8_t)(type + 1));
    return result;
}

static hl_Vec *from_small(hl_ReturnType type, uint32_t value)
{
    struct hl_writer writer;
    hl_Vec *result = start_value(&writer, type, 0);
    uint32_t table = hl_write_table(&writer, HL_VTABLE_SMALL, 8);
    hl_write_u32(&writer, table + 4, value);
    return finish(&writer, result);
}

static hl_Vec *from_wide(hl_ReturnType type, uint64_t value)
{
    struct hl_writer writer;
    hl_Vec *result = start_value(&writer, type, 0);
    uint32_t table = hl_write_table(&writer, HL_VTABLE_WIDE, 16);
    hl_write_u64(&writer, table + 8, value);
    return finish(&writer, result);
}

hl_Vec *hl_flatbuffer_result_from_Int(int32_t value)
{
    return from_small(hl_ReturnType_Int, (uint32_t)value);
}

hl_Vec *hl_flatbuffer_result_from_UInt(uint32_t value)
{
    return from_small(hl_ReturnType_UInt, value);
}

hl_Vec *hl_flatbuffer_result_from_Long(int64_t value)
{
    return from_wide(hl_ReturnType_Long, (uint64_t)value);
}

hl_Vec *hl_flatbuffer_result_from_ULong(uint64_t value)
{
    return from_wide(hl_ReturnType_ULong, value);
}

hl_Vec *hl_result_from_float_bits(uint32_t bits)
{
    return from_small(hl_ReturnType_Float, bits);
}

hl_Vec *hl_result_from_double_bits(uint64_t bits)
{
    return from_wide(hl_ReturnType_Double, bits);
}

hl_Vec *hl_flatbuffer_result_from_Bool(bool value)
{
    return from_small(hl_ReturnType_Bool, value);
}

hl_Vec *hl_flatbuffer_result_from_Void(void)
{
    struct hl_writer writer;
    hl_Vec *result = start_value(&writer, hl_ReturnType_Void, 0);
    hl_write_table(&writer, HL_VTABLE_EMPTY, 4);
    return finish(&writer, result);
}

hl_Vec *hl_flatbuffer_result_from_String(const char *value)
{
    struct hl_writer writer;
    size_t length = strlen(value);
    hl_Vec *result = start_value(&writer, hl_ReturnType_String, length);
    uint32_t table = hl_write_table(&writer, HL_VTABLE_SMALL, 8);
    hl_write_offset(&writer, table + 4);
    hl_write_bytes(&writer, value, length);
    return finish(&writer, result);
}

hl_Vec *hl_flatbuffer_result_from_Bytes(const uint8_t *data, uintptr_t len)
{
    struct hl_writer writer;
    hl_Vec *result = start_value(&writer, hl_ReturnType_VecBytes, len);
    uint32_t table = hl_write_table(&writer, HL_VTABLE_BYTES, 12);
    hl_write_u32(&writer, table + 4, (uint32_t)len);
    hl_write_offset(&writer, table + 8);
    hl_write_bytes(&writer, data, len);
    return finish(&writer, result);
}

hl_Vec *hl_result_from_error_bytes(uint64_t code, const char *message, size_t length)
{
    struct hl_writer writer;
    hl_Vec *result = start(&writer, length);
    write_union(&writer, RESULT_ERROR);
    uint32_t table = hl_write_table(&writer, HL_VTABLE_ROOT_SPECIFIC, 16);
    hl_write_u64(&writer, table + 8, code);
    hl_write_offset(&writer, table + 4);
    hl_write_bytes(&writer, message, length);
    return finish(&writer, result);
}

hl_Vec *hl_flatbuffer_result_from_error(hl_ErrorCode code, const char *message)
{
    return hl_result_from_error_bytes(code, message, strlen(message));
}

void hl_set_error(hl_ErrorCode err, const char *message)
{
    free(pending_error);
    pending_error = hl_flatbuffer_result_from_error(err, message);
}

hl_Vec *hl_take_pending_error(void)
{
    hl_Vec *result = pending_error;
    // A store only if there is something to store: each page written costs one.
    if (result != NULL) {
        pending_error = NULL;
    }
    return result;
}
