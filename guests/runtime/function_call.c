// SPDX-License-Identifier: Apache-2.0

#include "function_call.h"

#include "shared_buffer.h"

#include <stdlib.h>
#include <string.h>

enum {
    CALL_NAME,
    CALL_PARAMETERS,
    CALL_TYPE,
    CALL_RETURN_TYPE,
};

enum {
    UNION_TYPE,
    UNION_VALUE,
};

#define VALUE_SLOT 0

struct hl_message hl_take_message(struct hl_message_buffer *buffer)
{
    struct hl_message message = { NULL, 0 };
    struct hl_element element;
    if (!hl_input_peek(&element) || element.capacity < 8) {
        return message;
    }
    uint32_t body;
    __builtin_memcpy(&body, element.data, sizeof body);
    if (body > element.capacity - HL_PREFIX_SIZE) {
        return message;
    }
    message.size = body + HL_PREFIX_SIZE;
    message.bytes = message.size <= sizeof buffer->bytes ? buffer->bytes : malloc(message.size);
    memcpy(message.bytes, element.data, message.size);
    hl_input_drop();
    return message;
}

void hl_release_message(struct hl_message *message, struct hl_message_buffer *buffer)
{
    if (message->bytes != buffer->bytes) {
        free(message->bytes);
    }
    message->bytes = NULL;
}

// A string: its zero is part of the format, and checked here because C code is
// going to rely on it.
static char *read_string(const struct hl_message *message, const struct hl_table *table,
                         unsigned slot, uint32_t *length)
{
    uint32_t first = hl_field_vector(message, table, slot, 1, length);
    if (first == 0 || first + *length >= message->size || message->bytes[first + *length] != 0) {
        *length = 0;
        return "";
    }
    return (char *)message->bytes + first;
}

static bool has_zero(const char *text, uint32_t length)
{
    return memchr(text, 0, length) != NULL;
}

static bool decode_value(const struct hl_message *message, const struct hl_table *table,
                         hl_ParameterType type, hl_ParameterValue *value,
                         bool *has_embedded_zero)
{
    uint32_t length;
    switch (type) {
    case hl_ParameterType_Int:
    case hl_ParameterType_UInt:
    case hl_ParameterType_Float:
        value->UInt = hl_field_u32(message, table, VALUE_SLOT);
        return true;
    case hl_ParameterType_Long:
    case hl_ParameterType_ULong:
    case hl_ParameterType_Double:
        value->ULong = hl_field_u64(message, table, VALUE_SLOT);
        return true;
    case hl_ParameterType_Bool:
        value->Bool = hl_field_u8(message, table, VALUE_SLOT) != 0;
        return true;
    case hl_ParameterType_String:
        value->String = read_string(message, table, VALUE_SLOT, &length);
        *has_embedded_zero |= has_zero(value->String, length);
        return true;
    case hl_ParameterType_VecBytes: {
        uint32_t first = hl_field_vector(message, table, VALUE_SLOT, 1, &length);
        value->VecBytes.data = message->bytes + first;
        value->VecBytes.len = length;
        return true;
    }
    }
    return false;
}

static bool decode_parameter(const struct hl_message *message, uint32_t position,
                             hl_Parameter *parameter, bool *has_embedded_zero)
{
    struct hl_table table = hl_open_table(message, position);
    struct hl_table value = hl_field_table(message, &table, UNION_VALUE);
    uint8_t type = hl_field_u8(message, &table, UNION_TYPE);
    // The discriminator of a union counts from 1.
    parameter->tag = (hl_ParameterType)(type - 1);
    return type != 0 && value.position != 0 &&
           decode_value(message, &value, parameter->tag, &parameter->value, has_embedded_zero);
}

bool hl_decode_call(const struct hl_message *message, struct hl_decoded_call *decoded)
{
    struct hl_table root = hl_root_table(message);
    if (root.position == 0) {
        return false;
    }
    decoded->call.function_name = read_string(message, &root, CALL_NAME, &decoded->name_length);
    decoded->call.return_type = hl_field_u8(message, &root, CALL_RETURN_TYPE);
    decoded->call.parameters = decoded->parameters;
    decoded->call_type = hl_field_u8(message, &root, CALL_TYPE);
    decoded->has_embedded_zero = false;

    uint32_t count;
    uint32_t vector = hl_field_vector(message, &root, CALL_PARAMETERS, 4, &count);
    decoded->parameter_count = count;
    if (count > HL_MAX_DECODED_PARAMETERS) {
        count = HL_MAX_DECODED_PARAMETERS;
    }
    decoded->call.parameters_len = count;
    for (uint32_t i = 0; i < count; i++) {
        if (!decode_parameter(message, hl_target(message, vector + 4 * i),
                              &decoded->parameters[i], &decoded->has_embedded_zero)) {
            return false;
        }
    }
    return true;
}

static bool decode_return_value(const struct hl_message *message, const struct hl_table *table,
                                struct hl_decoded_result *decoded)
{
    switch (decoded->type) {
    case hl_ReturnType_Void:
        return true;
    case hl_ReturnType_VecBytes: {
        uint32_t length;
        uint32_t first = hl_field_vector(message, table, 1, 1, &length);
        decoded->value.VecBytes.data = message->bytes + first;
        decoded->value.VecBytes.len = length;
        return true;
    }
    default:
        // Up to Bool both enumerations agree.
        return decode_value(message, table, (hl_ParameterType)decoded->type, &decoded->value,
                            &decoded->has_embedded_zero);
    }
}

bool hl_decode_result(const struct hl_message *message, struct hl_decoded_result *decoded)
{
    enum { RESULT_VALUE = 1, RESULT_ERROR = 2 };

    struct hl_table root = hl_root_table(message);
    struct hl_table result = hl_field_table(message, &root, UNION_VALUE);
    uint32_t length;
    if (result.position == 0) {
        return false;
    }
    decoded->has_embedded_zero = false;
    decoded->is_error = false;
    switch (hl_field_u8(message, &root, UNION_TYPE)) {
    case RESULT_ERROR:
        decoded->is_error = true;
        decoded->error_code = hl_field_u64(message, &result, 0);
        decoded->message = read_string(message, &result, 1, &length);
        return true;
    case RESULT_VALUE: {
        uint8_t type = hl_field_u8(message, &result, UNION_TYPE);
        struct hl_table value = hl_field_table(message, &result, UNION_VALUE);
        decoded->type = (hl_ReturnType)(type - 1);
        return type >= 1 && type <= hl_ReturnType_VecBytes + 1 && value.position != 0 &&
               decode_return_value(message, &value, decoded);
    }
    default:
        return false;
    }
}
