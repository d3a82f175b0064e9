// SPDX-License-Identifier: Apache-2.0
//
// One call from the host: decode, check, run, answer.

#include "abort.h"
#include "cpu.h"
#include "function_call.h"
#include "layout.h"
#include "ports.h"
#include "registry.h"
#include "result.h"
#include "shared_buffer.h"
#include "state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_SIZE 200

__attribute__((weak)) hl_Vec *c_guest_dispatch_function(const hl_FunctionCall *function_call)
{
    (void)function_call;
    return NULL;
}

static const char *const type_names[] = {
    "Int", "UInt", "Long", "ULong", "Float", "Double", "String", "Bool", "VecBytes",
};

static hl_Vec *not_found(const char *name)
{
    char text[MESSAGE_SIZE];
    snprintf(text, sizeof text, "no guest function named %s", name);
    return hl_flatbuffer_result_from_error(hl_ErrorCode_GuestFunctionNotFound, text);
}

static hl_Vec *too_many(const struct hl_decoded_call *decoded)
{
    char text[MESSAGE_SIZE];
    snprintf(text, sizeof text, "%s was called with %u parameters, more than the %u a guest function can have",
             decoded->call.function_name, decoded->parameter_count, HL_MAX_PARAMETERS);
    return hl_flatbuffer_result_from_error(hl_ErrorCode_GuestError, text);
}

static hl_Vec *wrong_count(const struct hl_decoded_call *decoded, unsigned expected)
{
    char text[MESSAGE_SIZE];
    snprintf(text, sizeof text, "%s takes %u parameters, called with %u",
             decoded->call.function_name, expected, decoded->parameter_count);
    return hl_flatbuffer_result_from_error(hl_ErrorCode_GuestFunctionIncorrecNoOfParameters, text);
}

static hl_Vec *wrong_type(const struct hl_decoded_call *decoded, unsigned index,
                          hl_ParameterType expected)
{
    char text[MESSAGE_SIZE];
    snprintf(text, sizeof text, "parameter %u of %s is of type %s, called with %s", index,
             decoded->call.function_name, type_names[expected],
             type_names[decoded->parameters[index].tag]);
    return hl_flatbuffer_result_from_error(hl_ErrorCode_GuestFunctionParameterTypeMismatch, text);
}

static hl_Vec *run_unregistered(const struct hl_decoded_call *decoded)
{
    if (decoded->parameter_count > HL_MAX_DECODED_PARAMETERS) {
        return too_many(decoded);
    }
    hl_Vec *result = c_guest_dispatch_function(&decoded->call);
    return result != NULL ? result : not_found(decoded->call.function_name);
}

static hl_Vec *run(const struct hl_decoded_call *decoded)
{
    if (decoded->call_type != HL_CALL_TYPE_GUEST) {
        return hl_flatbuffer_result_from_error(hl_ErrorCode_GuestError,
                                               "the call is not for a guest function");
    }
    if (decoded->name_length == 0) {
        return hl_flatbuffer_result_from_error(hl_ErrorCode_GuestFunctionNameNotProvided,
                                               "the call names no function");
    }
    if (decoded->has_embedded_zero) {
        return hl_flatbuffer_result_from_error(hl_ErrorCode_GuestError,
                                               "a string parameter has a zero inside");
    }
    const struct hl_definition *definition =
        hl_find_definition(decoded->call.function_name, decoded->name_length);
    if (definition == NULL) {
        return run_unregistered(decoded);
    }
    if (decoded->parameter_count > HL_MAX_PARAMETERS) {
        return too_many(decoded);
    }
    if (decoded->parameter_count != definition->count) {
        return wrong_count(decoded, definition->count);
    }
    for (uint32_t i = 0; i < definition->count; i++) {
        if (decoded->parameters[i].tag != definition->types[i]) {
            return wrong_type(decoded, i, definition->types[i]);
        }
    }
    return definition->function(&decoded->call);
}

static void answer(hl_Vec *result)
{
    hl_Vec *error = hl_take_pending_error();
    if (error != NULL) {
        free(result);
        result = error;
    }
    if (result == NULL) {
        result = hl_flatbuffer_result_from_error(hl_ErrorCode_GuestError,
                                                 "the guest function returned no result");
    }
    if (!hl_output_push(result->data, result->len)) {
        char text[MESSAGE_SIZE];
        hl_output_describe_shortage(text, sizeof text, "the result", result->len);
        free(result);
        result = hl_flatbuffer_result_from_error(hl_ErrorCode_GuestError, text);
        hl_output_push(result->data, result->len);
    }
    free(result);
}

void hl_dispatch(void)
{
    static struct hl_message_buffer buffer;
    struct hl_message message = hl_take_message(&buffer);
    struct hl_decoded_call decoded;
    if (message.bytes == NULL || !hl_decode_call(&message, &decoded)) {
        hl_abort_with_text(hl_ErrorCode_UnknownError, "the function call cannot be decoded");
    }
    hl_Vec *result = run(&decoded);
    if (hl_state.call_end != NULL) {
        hl_state.call_end();
    }
    answer(result);
    hl_release_message(&message, &buffer);
}

void hl_halt(void)
{
    hl_out32(HL_PORT_HALT, 0);
    HL_STOP();
}
