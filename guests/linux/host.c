// SPDX-License-Identifier: Apache-2.0

#include "host.h"

#include "../runtime/host_call.h"
#include "host_clock.h"

#include <string.h>

static bool call(const char *name, const hl_Parameter *parameters, uintptr_t count, hl_ReturnType type)
{
    const hl_FunctionCall call = {
        .function_name = name,
        .parameters = parameters,
        .parameters_len = count,
        .return_type = type,
    };
    return hl_try_call_host_function(&call);
}

static bool call_for_answer(const char *name, const hl_Parameter *parameters, uintptr_t count, int32_t *answer)
{
    if (!call(name, parameters, count, hl_ReturnType_Int)) {
        return false;
    }
    *answer = hl_host_value(hl_ReturnType_Int)->Int;
    return true;
}

static bool call_for_bytes(const char *name, const hl_Parameter *parameters, uintptr_t parameter_count, const uint8_t **bytes,
                           size_t *count)
{
    if (!call(name, parameters, parameter_count, hl_ReturnType_VecBytes)) {
        return false;
    }
    const hl_Vec *answer = &hl_host_value(hl_ReturnType_VecBytes)->VecBytes;
    *bytes = answer->data;
    *count = answer->len;
    return true;
}

bool host_write(int stream, const uint8_t *bytes, size_t size, int32_t *answer)
{
    const hl_Parameter parameters[] = {
        { .tag = hl_ParameterType_Int, .value.Int = stream },
        { .tag = hl_ParameterType_VecBytes, .value.VecBytes = { (uint8_t *)bytes, size } },
    };
    return call_for_answer("ProgramWrite", parameters, 2, answer);
}

bool host_read(size_t size, bool waits, uint32_t *events, const uint8_t **bytes, size_t *count)
{
    const hl_Parameter parameters[] = {
        { .tag = hl_ParameterType_Int, .value.Int = (int32_t)size },
        { .tag = hl_ParameterType_Bool, .value.Bool = waits },
    };
    bool is_answered = call_for_bytes("ProgramRead", parameters, 2, bytes, count);
    if (waits) {
        host_clock_ask_again();
    }
    if (!is_answered || *count == 0 || *count - 1 > size) {
        return false;
    }
    *events = **bytes;
    ++*bytes;
    --*count;
    return true;
}

// Of the monotonic clock, when the host's is 0.
static int64_t clock_start;

bool host_read_clock(bool is_monotonic, int64_t *nanoseconds)
{
    const hl_Parameter parameter = { .tag = hl_ParameterType_Bool, .value.Bool = is_monotonic };
    if (!call("ProgramClock", &parameter, 1, hl_ReturnType_Long)) {
        return false;
    }
    *nanoseconds = hl_host_value(hl_ReturnType_Long)->Long;
    if (*nanoseconds < 0) {
        return false;
    }
    *nanoseconds = is_monotonic && *nanoseconds <= INT64_MAX - clock_start ? *nanoseconds + clock_start : *nanoseconds;
    return true;
}

void host_continue_clock(int64_t nanoseconds)
{
    clock_start = nanoseconds;
}

bool host_wait(int64_t nanoseconds, bool input, const struct host_connection *connections, size_t count,
               const uint8_t **events)
{
    const hl_Parameter parameters[] = {
        { .tag = hl_ParameterType_Long, .value.Long = nanoseconds },
        { .tag = hl_ParameterType_Bool, .value.Bool = input },
        { .tag = hl_ParameterType_VecBytes, .value.VecBytes = { (uint8_t *)connections, count * sizeof *connections } },
    };
    size_t size;
    bool is_answered = call_for_bytes("ProgramWait", parameters, 3, events, &size);
    if (nanoseconds != 0) {
        host_clock_ask_again();
    }
    return is_answered && size == (1 + count) * sizeof(uint32_t);
}

bool host_input_file(int32_t index, const uint8_t **bytes, size_t *count)
{
    const hl_Parameter parameter = { .tag = hl_ParameterType_Int, .value.Int = index };
    return call_for_bytes("ProgramInputFile", &parameter, 1, bytes, count);
}

bool host_input_bytes(int32_t index, uint64_t offset, size_t size, const uint8_t **bytes, size_t *count)
{
    const hl_Parameter parameters[] = {
        { .tag = hl_ParameterType_Int, .value.Int = index },
        { .tag = hl_ParameterType_Long, .value.Long = (int64_t)offset },
        { .tag = hl_ParameterType_Int, .value.Int = (int32_t)size },
    };
    return call_for_bytes("ProgramInputBytes", parameters, 3, bytes, count) && *count <= size;
}

bool host_output_file(const char *path, uint32_t mode, uint64_t size, int32_t *answer)
{
    const hl_Parameter parameters[] = {
        { .tag = hl_ParameterType_VecBytes, .value.VecBytes = { (uint8_t *)path, strlen(path) } },
        { .tag = hl_ParameterType_Int, .value.Int = (int32_t)mode },
        { .tag = hl_ParameterType_Long, .value.Long = (int64_t)size },
    };
    return call_for_answer("ProgramOutputFile", parameters, 3, answer);
}

bool host_output_bytes(const uint8_t *bytes, size_t size, int32_t *answer)
{
    const hl_Parameter parameter = { .tag = hl_ParameterType_VecBytes, .value.VecBytes = { (uint8_t *)bytes, size } };
    return call_for_answer("ProgramOutputBytes", &parameter, 1, answer);
}

bool host_call_tool(enum host_call_step step, const uint8_t *bytes, size_t size, const uint8_t **answer, size_t *count)
{
    const hl_Parameter parameters[] = {
        { .tag = hl_ParameterType_Int, .value.Int = (int32_t)step },
        { .tag = hl_ParameterType_VecBytes, .value.VecBytes = { (uint8_t *)bytes, size } },
    };
    bool is_answered = call_for_bytes("ProgramCall", parameters, 2, answer, count);
    host_clock_ask_again();
    return is_answered;
}

bool host_directory(enum host_directory_step step, const char *path, uint64_t offset, const uint8_t **bytes, size_t *count)
{
    const hl_Parameter parameters[] = {
        { .tag = hl_ParameterType_Int, .value.Int = (int32_t)step },
        { .tag = hl_ParameterType_VecBytes, .value.VecBytes = { (uint8_t *)path, strlen(path) } },
        { .tag = hl_ParameterType_Long, .value.Long = (int64_t)offset },
    };
    return call_for_bytes("ProgramDirectory", parameters, 3, bytes, count);
}

bool host_change(enum host_change_step step, const char *path, const void *bytes, size_t size, uint64_t value,
                 struct host_change *answer)
{
    const hl_Parameter parameters[] = {
        { .tag = hl_ParameterType_Int, .value.Int = (int32_t)step },
        { .tag = hl_ParameterType_VecBytes, .value.VecBytes = { (uint8_t *)path, strlen(path) } },
        { .tag = hl_ParameterType_VecBytes, .value.VecBytes = { (uint8_t *)bytes, size } },
        { .tag = hl_ParameterType_Long, .value.Long = (int64_t)value },
    };
    const uint8_t *received;
    size_t count;
    if (!call_for_bytes("ProgramChange", parameters, 4, &received, &count) || count != sizeof *answer) {
        return false;
    }
    memcpy(answer, received, sizeof *answer);
    return true;
}

bool host_socket(enum host_socket_step step, int32_t handle, int64_t value, const void *bytes, size_t size,
                 const uint8_t **answer, size_t *count)
{
    const hl_Parameter parameters[] = {
        { .tag = hl_ParameterType_Int, .value.Int = (int32_t)step },
        { .tag = hl_ParameterType_Int, .value.Int = handle },
        { .tag = hl_ParameterType_Long, .value.Long = value },
        { .tag = hl_ParameterType_VecBytes, .value.VecBytes = { (uint8_t *)bytes, size } },
    };
    return call_for_bytes("ProgramSocket", parameters, 4, answer, count);
}
