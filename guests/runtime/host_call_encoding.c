// SPDX-License-Identifier: Apache-2.0
//
// The encoding of calls to the host.

#include "flatbuffer_writer.h"
#include "function_call.h"
#include "shared_buffer.h"

#include <string.h>

static size_t size_of_parameter(const hl_Parameter *parameter)
{
    switch (parameter->tag) {
    case hl_ParameterType_String:
        return HL_PARAMETER_OVERHEAD + strlen(parameter->value.String);
    case hl_ParameterType_VecBytes:
        return HL_PARAMETER_OVERHEAD + parameter->value.VecBytes.len;
    default:
        return HL_PARAMETER_OVERHEAD;
    }
}

static void write_value(struct hl_writer *writer, const hl_Parameter *parameter)
{
    const hl_ParameterValue *value = &parameter->value;
    uint32_t table;
    switch (parameter->tag) {
    case hl_ParameterType_Long:
    case hl_ParameterType_ULong:
    case hl_ParameterType_Double:
        table = hl_write_table(writer, HL_VTABLE_WIDE, 16);
        hl_write_u64(writer, table + 8, value->ULong);
        return;
    case hl_ParameterType_String:
        table = hl_write_table(writer, HL_VTABLE_SMALL, 8);
        hl_write_offset(writer, table + 4);
        hl_write_bytes(writer, value->String, strlen(value->String));
        return;
    case hl_ParameterType_VecBytes:
        table = hl_write_table(writer, HL_VTABLE_SMALL, 8);
        hl_write_offset(writer, table + 4);
        hl_write_bytes(writer, value->VecBytes.data, value->VecBytes.len);
        return;
    case hl_ParameterType_Bool:
        table = hl_write_table(writer, HL_VTABLE_SMALL, 8);
        hl_write_u8(writer, table + 4, value->Bool);
        return;
    default:
        table = hl_write_table(writer, HL_VTABLE_SMALL, 8);
        hl_write_u32(writer, table + 4, value->UInt);
    }
}

size_t hl_size_of_host_call(const hl_FunctionCall *call)
{
    size_t size = HL_MESSAGE_OVERHEAD + strlen(call->function_name);
    for (uintptr_t i = 0; i < call->parameters_len; i++) {
        size += size_of_parameter(&call->parameters[i]);
    }
    return size;
}

bool hl_push_host_call(const hl_FunctionCall *call, size_t size)
{
    uint8_t *room = hl_output_reserve(size);
    if (room == NULL) {
        return false;
    }

    struct hl_writer writer;
    hl_write_start(&writer, room, &hl_call_vtables);
    uint32_t root = hl_write_table(&writer, HL_VTABLE_ROOT_SPECIFIC, 16);
    hl_write_u8(&writer, root + 12, HL_CALL_TYPE_HOST);
    hl_write_u8(&writer, root + 13, (uint8_t)call->return_type);
    hl_write_offset(&writer, root + 4);
    hl_write_bytes(&writer, call->function_name, strlen(call->function_name));
    hl_write_offset(&writer, root + 8);
    uint32_t vector = hl_write_vector(&writer, (uint32_t)call->parameters_len);
    for (uintptr_t i = 0; i < call->parameters_len; i++) {
        hl_write_offset(&writer, vector + 4 * (uint32_t)i);
        uint32_t table = hl_write_table(&writer, HL_VTABLE_UNION, 12);
        hl_write_u8(&writer, table + 4, (uint8_t)(call->parameters[i].tag + 1));
        hl_write_offset(&writer, table + 8);
        write_value(&writer, &call->parameters[i]);
    }
    hl_output_commit(hl_write_finish(&writer));
    return true;
}
