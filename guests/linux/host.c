// SPDX-License-Identifier: Apache-2.0

#include "host.h"

#include "../runtime/host_call.h"

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

bool host_write(int stream, const uint8_t *bytes, size_t size, int32_t *answer)
{
    const hl_Parameter parameters[] = {
        { .tag = hl_ParameterType_Int, .value.Int = stream },
        { .tag = hl_ParameterType_VecBytes, .value.VecBytes = { (uint8_t *)bytes, size } },
    };
    if (!call("ProgramWrite", parameters, 2, hl_ReturnType_Int)) {
        return false;
    }
    *answer = hl_host_value(hl_ReturnType_Int)->Int;
    return true;
}

bool host_read(size_t size, const uint8_t **bytes, size_t *count)
{
    const hl_Parameter parameter = { .tag = hl_ParameterType_Int, .value.Int = (int32_t)size };
    if (!call("ProgramRead", &parameter, 1, hl_ReturnType_VecBytes)) {
        return false;
    }
    const hl_Vec *answer = &hl_host_value(hl_ReturnType_VecBytes)->VecBytes;
    *bytes = answer->data;
    *count = answer->len;
    return answer->len <= size;
}

bool host_clock(bool is_monotonic, int64_t *nanoseconds)
{
    const hl_Parameter parameter = { .tag = hl_ParameterType_Bool, .value.Bool = is_monotonic };
    if (!call("ProgramClock", &parameter, 1, hl_ReturnType_Long)) {
        return false;
    }
    *nanoseconds = hl_host_value(hl_ReturnType_Long)->Long;
    return *nanoseconds >= 0;
}

bool host_sleep(int64_t nanoseconds)
{
    const hl_Parameter parameter = { .tag = hl_ParameterType_Long, .value.Long = nanoseconds };
    return call("ProgramSleep", &parameter, 1, hl_ReturnType_Void);
}
