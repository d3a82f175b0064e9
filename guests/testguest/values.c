// SPDX-License-Identifier: Apache-2.0
//
// Values of every type, in and out.

#include "testguest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static hl_Vec *echo_int(const hl_FunctionCall *call)
{
    return hl_flatbuffer_result_from_Int(PARAMETER(0, Int));
}

static hl_Vec *echo_uint(const hl_FunctionCall *call)
{
    return hl_flatbuffer_result_from_UInt(PARAMETER(0, UInt));
}

static hl_Vec *echo_long(const hl_FunctionCall *call)
{
    return hl_flatbuffer_result_from_Long(PARAMETER(0, Long));
}

static hl_Vec *echo_ulong(const hl_FunctionCall *call)
{
    return hl_flatbuffer_result_from_ULong(PARAMETER(0, ULong));
}

static hl_Vec *echo_float(const hl_FunctionCall *call)
{
    return hl_flatbuffer_result_from_Float(PARAMETER(0, Float));
}

static hl_Vec *echo_double(const hl_FunctionCall *call)
{
    return hl_flatbuffer_result_from_Double(PARAMETER(0, Double));
}

static hl_Vec *echo_bool(const hl_FunctionCall *call)
{
    return hl_flatbuffer_result_from_Bool(PARAMETER(0, Bool));
}

static hl_Vec *echo_string(const hl_FunctionCall *call)
{
    return hl_flatbuffer_result_from_String(PARAMETER(0, String));
}

static hl_Vec *echo_bytes(const hl_FunctionCall *call)
{
    hl_Vec bytes = PARAMETER(0, VecBytes);
    return hl_flatbuffer_result_from_Bytes(bytes.data, bytes.len);
}

static hl_Vec *return_nothing(const hl_FunctionCall *call)
{
    (void)call;
    return hl_flatbuffer_result_from_Void();
}

static hl_Vec *add(const hl_FunctionCall *call)
{
    return hl_flatbuffer_result_from_Int((int32_t)(PARAMETER(0, UInt) + PARAMETER(1, UInt)));
}

static hl_Vec *sum_eleven(const hl_FunctionCall *call)
{
    int64_t sum = 0;
    for (uintptr_t i = 0; i < call->parameters_len; i++) {
        sum += PARAMETER(i, Int);
    }
    return hl_flatbuffer_result_from_Long(sum);
}

static char *put_hex(char *to, hl_Vec bytes)
{
    for (uintptr_t i = 0; i < bytes.len; i++) {
        *to++ = "0123456789abcdef"[bytes.data[i] >> 4];
        *to++ = "0123456789abcdef"[bytes.data[i] & 0xF];
    }
    return to;
}

static hl_Vec *describe_all(const hl_FunctionCall *call)
{
    hl_Vec bytes = PARAMETER(8, VecBytes);
    const char *text = PARAMETER(7, String);
    const char *last = PARAMETER(10, String);
    size_t size = 256 + strlen(text) + strlen(last) + 2 * bytes.len;
    char *description = malloc(size);

    // The union's integers overlay its floating-point numbers.
    char *at = description;
    at += snprintf(at, size, "i=%d u=%u l=%ld U=%lu f=%08x d=%016lx b=%s s=%s B=%lu:",
                   PARAMETER(0, Int), PARAMETER(1, UInt), PARAMETER(2, Long), PARAMETER(3, ULong),
                   PARAMETER(4, UInt), PARAMETER(5, ULong), PARAMETER(6, Bool) ? "true" : "false",
                   text, bytes.len);
    at = put_hex(at, bytes);
    snprintf(at, size - (size_t)(at - description), " i=%d s=%s", PARAMETER(9, Int), last);
    hl_Vec *result = hl_flatbuffer_result_from_String(description);
    free(description);
    return result;
}

static hl_Vec *negative_length(void)
{
    return hl_flatbuffer_result_from_error(hl_ErrorCode_GuestError, "the length is negative");
}

static hl_Vec *make_bytes(const hl_FunctionCall *call)
{
    int32_t length = PARAMETER(0, Int);
    if (length < 0) {
        return negative_length();
    }
    uint8_t *bytes = malloc((size_t)length + 1);
    memset(bytes, PARAMETER(1, Int), (size_t)length);
    hl_Vec *result = hl_flatbuffer_result_from_Bytes(bytes, (size_t)length);
    free(bytes);
    return result;
}

static hl_Vec *make_string(const hl_FunctionCall *call)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz";
    int32_t length = PARAMETER(0, Int);
    if (length < 0) {
        return negative_length();
    }
    char *text = malloc((size_t)length + 1);
    for (size_t done = 0; done < (size_t)length; done += 26) {
        size_t rest = (size_t)length - done;
        memcpy(text + done, alphabet, rest < 26 ? rest : 26);
    }
    text[length] = '\0';
    hl_Vec *result = hl_flatbuffer_result_from_String(text);
    free(text);
    return result;
}

static hl_Vec *sum_bytes(const hl_FunctionCall *call)
{
    hl_Vec bytes = PARAMETER(0, VecBytes);
    uint64_t sum = 0;
    for (uintptr_t i = 0; i < bytes.len; i++) {
        sum += bytes.data[i];
    }
    return hl_flatbuffer_result_from_ULong(sum);
}

static hl_Vec *reverse_bytes(const hl_FunctionCall *call)
{
    hl_Vec bytes = PARAMETER(0, VecBytes);
    for (uintptr_t i = 0; i < bytes.len / 2; i++) {
        uint8_t byte = bytes.data[i];
        bytes.data[i] = bytes.data[bytes.len - 1 - i];
        bytes.data[bytes.len - 1 - i] = byte;
    }
    return hl_flatbuffer_result_from_Bytes(bytes.data, bytes.len);
}

static hl_Vec *concat_strings(const hl_FunctionCall *call)
{
    const char *first = PARAMETER(0, String);
    const char *second = PARAMETER(1, String);
    char *text = malloc(strlen(first) + strlen(second) + 1);
    strcpy(text, first);
    strcat(text, second);
    hl_Vec *result = hl_flatbuffer_result_from_String(text);
    free(text);
    return result;
}

static const struct guest_function functions[] = {
    { "EchoInt", echo_int, "i" },
    { "EchoUInt", echo_uint, "u" },
    { "EchoLong", echo_long, "l" },
    { "EchoULong", echo_ulong, "U" },
    { "EchoFloat", echo_float, "f" },
    { "EchoDouble", echo_double, "d" },
    { "EchoBool", echo_bool, "b" },
    { "EchoString", echo_string, "s" },
    { "EchoBytes", echo_bytes, "B" },
    { "ReturnNothing", return_nothing, "" },
    { "Add", add, "ii" },
    { "SumEleven", sum_eleven, "iiiiiiiiiii" },
    { "DescribeAll", describe_all, "iulUfdbsBis" },
    { "MakeBytes", make_bytes, "ii" },
    { "MakeString", make_string, "i" },
    { "SumBytes", sum_bytes, "B" },
    { "ReverseBytes", reverse_bytes, "B" },
    { "ConcatStrings", concat_strings, "ss" },
};

void register_values(void)
{
    REGISTER(functions);
}
