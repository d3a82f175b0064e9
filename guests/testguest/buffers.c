// SPDX-License-Identifier: Apache-2.0
//
// Misuse of the buffers shared with the host.

#include "testguest.h"

#include "../runtime/function_call.h"
#include "../runtime/ports.h"
#include "../runtime/shared_buffer.h"
#include "../runtime/state.h"

#include <string.h>

static hl_Vec *too_large(void)
{
    return hl_flatbuffer_result_from_error(hl_ErrorCode_GuestError,
                                           "the bytes do not fit into the buffer");
}

// Overwrites a buffer from its first byte on, then leaves to the host.
static hl_Vec *poke(const struct hl_region *region, const hl_FunctionCall *call)
{
    hl_Vec raw = PARAMETER(0, VecBytes);
    uint16_t port = (uint16_t)PARAMETER(1, Int);
    if (raw.len > region->size) {
        return too_large();
    }
    memcpy((void *)region->address, raw.data, raw.len);
    hl_out32(port, 0);
    return hl_flatbuffer_result_from_Void();
}

static hl_Vec *poke_output(const hl_FunctionCall *call)
{
    return poke(&hl_state.peb->output, call);
}

static hl_Vec *poke_input(const hl_FunctionCall *call)
{
    return poke(&hl_state.peb->input, call);
}

static hl_Vec *send_raw_host_call(const hl_FunctionCall *call)
{
    hl_Vec raw = PARAMETER(0, VecBytes);
    if (!hl_output_push(raw.data, raw.len)) {
        return too_large();
    }
    hl_out32(HL_PORT_CALL_FUNCTION, 0);
    static struct hl_message_buffer buffer;
    struct hl_message answer = hl_take_message(&buffer);
    if (answer.bytes == NULL) {
        return hl_flatbuffer_result_from_error(hl_ErrorCode_GuestError,
                                               "the host left no answer");
    }
    hl_Vec *result = hl_flatbuffer_result_from_Bytes(answer.bytes, answer.size);
    hl_release_message(&answer, &buffer);
    return result;
}

static hl_Vec *send_raw_log(const hl_FunctionCall *call)
{
    hl_Vec raw = PARAMETER(0, VecBytes);
    if (!hl_output_push(raw.data, raw.len)) {
        return too_large();
    }
    hl_out32(HL_PORT_LOG, 0);
    return hl_flatbuffer_result_from_Void();
}

static hl_Vec *send_raw_result(const hl_FunctionCall *call)
{
    hl_Vec raw = PARAMETER(0, VecBytes);
    if (!hl_output_push(raw.data, raw.len)) {
        return too_large();
    }
    hl_halt();
}

static hl_Vec *set_output_sp(const hl_FunctionCall *call)
{
    *(volatile uint64_t *)hl_state.peb->output.address = PARAMETER(0, ULong);
    hl_halt();
}

static hl_Vec *set_input_sp(const hl_FunctionCall *call)
{
    *(volatile uint64_t *)hl_state.peb->input.address = PARAMETER(0, ULong);
    hl_halt();
}

static hl_Vec *leave_input_dirty(const hl_FunctionCall *call)
{
    (void)call;
    static const char junk[] = "left behind by the guest";
    uint8_t *base = (uint8_t *)hl_state.peb->input.address;
    uint64_t start;
    memcpy(&start, base, sizeof start);
    uint64_t end = start + sizeof junk + sizeof start;
    memcpy(base + start, junk, sizeof junk);
    memcpy(base + start + sizeof junk, &start, sizeof start);
    memcpy(base, &end, sizeof end);
    return hl_flatbuffer_result_from_Void();
}

static const struct guest_function functions[] = {
    { "PokeOutput", poke_output, "Bi" },
    { "PokeInput", poke_input, "Bi" },
    { "SendRawHostCall", send_raw_host_call, "B" },
    { "SendRawLog", send_raw_log, "B" },
    { "SendRawResult", send_raw_result, "B" },
    { "SetOutputSp", set_output_sp, "U" },
    { "SetInputSp", set_input_sp, "U" },
    { "LeaveInputDirty", leave_input_dirty, "" },
};

void register_buffers(void)
{
    REGISTER(functions);
}
