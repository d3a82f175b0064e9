// SPDX-License-Identifier: Apache-2.0
//
// Function calls and their results on the wire.

#ifndef HL_FUNCTION_CALL_H
#define HL_FUNCTION_CALL_H

#include "flatbuffer_reader.h"
#include "hyperlight_guest.h"

#include <stdbool.h>

// As many as a host ever sends.
#define HL_MAX_DECODED_PARAMETERS 32

enum {
    HL_CALL_TYPE_GUEST = 1,
    HL_CALL_TYPE_HOST = 2,
};

// A call decoded in place: its strings and vectors lie in the message.
struct hl_decoded_call {
    hl_FunctionCall call;
    uint32_t name_length;
    // As sent; `parameters` holds at most HL_MAX_DECODED_PARAMETERS of them.
    uint32_t parameter_count;
    uint8_t call_type;
    // A string parameter contained a zero, which a C string cannot express.
    bool has_embedded_zero;
    hl_Parameter parameters[HL_MAX_DECODED_PARAMETERS];
};

struct hl_decoded_result {
    bool is_error;
    uint64_t error_code;
    // Of an error.
    const char *message;
    // Of a value. Strings and vectors lie in the message.
    hl_ReturnType type;
    hl_ParameterValue value;
    bool has_embedded_zero;
};

// Where a message is kept while it is in use, unless it is too large: then it is
// on the heap.
struct hl_message_buffer {
    uint8_t bytes[1024] __attribute__((aligned(16)));
};

// Copies the newest element of the input buffer and removes it. The bytes are
// NULL if there is no element.
struct hl_message hl_take_message(struct hl_message_buffer *buffer);
void hl_release_message(struct hl_message *message, struct hl_message_buffer *buffer);

bool hl_decode_call(const struct hl_message *message, struct hl_decoded_call *decoded);
bool hl_decode_result(const struct hl_message *message, struct hl_decoded_result *decoded);

// How many bytes of the output buffer a call to the host takes, at most.
size_t hl_size_of_host_call(const hl_FunctionCall *call);

// Encodes a call to the host, of that size, straight into the output buffer.
// False if it does not fit.
bool hl_push_host_call(const hl_FunctionCall *call, size_t size);

#endif
