// SPDX-License-Identifier: Apache-2.0
//
// Calls from the guest to the host.

#include "host_call.h"

#include "abort.h"
#include "function_call.h"
#include "ports.h"
#include "result.h"
#include "shared_buffer.h"

#include <stdlib.h>
#include <string.h>

#define SHORTAGE_SIZE 200

static struct {
    struct hl_message message;
    struct hl_decoded_result result;
    struct hl_message_buffer buffer;
    char shortage[SHORTAGE_SIZE];
} last;

static void fail(uint64_t code, const char *message)
{
    last.result.is_error = true;
    last.result.error_code = code;
    last.result.message = message;
}

static void exchange(const hl_FunctionCall *call)
{
    hl_release_message(&last.message, &last.buffer);
    size_t size = hl_size_of_host_call(call);
    if (!hl_push_host_call(call, size)) {
        hl_output_describe_shortage(last.shortage, sizeof last.shortage, "the host call", size);
        fail(hl_ErrorCode_GuestError, last.shortage);
        return;
    }
    hl_out32(HL_PORT_CALL_FUNCTION, 0);
    last.message = hl_take_message(&last.buffer);
    if (last.message.bytes == NULL || !hl_decode_result(&last.message, &last.result)) {
        fail(hl_ErrorCode_GuestError, "the answer to the host call cannot be decoded");
    }
}

bool hl_try_call_host_function(const hl_FunctionCall *function_call)
{
    exchange(function_call);
    if (!last.result.is_error && last.result.type != function_call->return_type) {
        fail(hl_ErrorCode_GuestError, "the host function answered with another type");
    } else if (!last.result.is_error && last.result.has_embedded_zero) {
        fail(hl_ErrorCode_GuestError, "the host function answered with a zero inside a string");
    }
    return !last.result.is_error;
}

void hl_call_host_function(const hl_FunctionCall *function_call)
{
    exchange(function_call);
}

uint64_t hl_host_error_code(void)
{
    return last.result.is_error ? last.result.error_code : hl_ErrorCode_NoError;
}

const char *hl_host_error_message(void)
{
    return last.result.is_error ? last.result.message : "";
}

hl_Vec *hl_flatbuffer_result_from_host_error(void)
{
    const char *message = hl_host_error_message();
    return hl_result_from_error_bytes(hl_host_error_code(), message, strlen(message));
}

const hl_ParameterValue *hl_host_value(hl_ReturnType type)
{
    if (last.result.is_error) {
        hl_abort_with_text(hl_ErrorCode_UnknownError, last.result.message);
    }
    if (last.result.type != type || last.message.bytes == NULL) {
        hl_abort_with_text(hl_ErrorCode_UnknownError,
                           "the host function answered with another type");
    }
    return &last.result.value;
}

int32_t hl_get_host_return_value_as_Int(void)
{
    return hl_host_value(hl_ReturnType_Int)->Int;
}

uint32_t hl_get_host_return_value_as_UInt(void)
{
    return hl_host_value(hl_ReturnType_UInt)->UInt;
}

int64_t hl_get_host_return_value_as_Long(void)
{
    return hl_host_value(hl_ReturnType_Long)->Long;
}

uint64_t hl_get_host_return_value_as_ULong(void)
{
    return hl_host_value(hl_ReturnType_ULong)->ULong;
}

bool hl_get_host_return_value_as_Bool(void)
{
    return hl_host_value(hl_ReturnType_Bool)->Bool;
}

const char *hl_get_host_return_value_as_String(void)
{
    const char *text = hl_host_value(hl_ReturnType_String)->String;
    if (last.result.has_embedded_zero) {
        hl_abort_with_text(hl_ErrorCode_UnknownError,
                           "the host function answered with a zero inside a string");
    }
    return strdup(text);
}

hl_Vec *hl_get_host_return_value_as_VecBytes(void)
{
    const hl_Vec *answer = &hl_host_value(hl_ReturnType_VecBytes)->VecBytes;
    hl_Vec *copy = malloc(sizeof *copy + answer->len);
    copy->data = (uint8_t *)(copy + 1);
    copy->len = answer->len;
    memcpy(copy->data, answer->data, answer->len);
    return copy;
}
