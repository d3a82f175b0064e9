// SPDX-License-Identifier: Apache-2.0
//
// Calls to host functions. A failure of the host function becomes the result.

#include "testguest.h"

#include <stdlib.h>
#include <string.h>

static bool call_host(const char *name, const hl_Parameter *parameters, size_t count,
                      hl_ReturnType type)
{
    const hl_FunctionCall call = { .function_name = name,
                                   .parameters = parameters,
                                   .parameters_len = count,
                                   .return_type = type };
    return hl_try_call_host_function(&call);
}

// The answer of the host, whatever its type, as this call's result.
static hl_Vec *answer(hl_ReturnType type)
{
    switch (type) {
    case hl_ReturnType_Int:
        return hl_flatbuffer_result_from_Int(hl_get_host_return_value_as_Int());
    case hl_ReturnType_UInt:
        return hl_flatbuffer_result_from_UInt(hl_get_host_return_value_as_UInt());
    case hl_ReturnType_Long:
        return hl_flatbuffer_result_from_Long(hl_get_host_return_value_as_Long());
    case hl_ReturnType_ULong:
        return hl_flatbuffer_result_from_ULong(hl_get_host_return_value_as_ULong());
    case hl_ReturnType_Float:
        return hl_flatbuffer_result_from_Float(hl_get_host_return_value_as_Float());
    case hl_ReturnType_Double:
        return hl_flatbuffer_result_from_Double(hl_get_host_return_value_as_Double());
    case hl_ReturnType_Bool:
        return hl_flatbuffer_result_from_Bool(hl_get_host_return_value_as_Bool());
    case hl_ReturnType_String: {
        char *text = (char *)hl_get_host_return_value_as_String();
        hl_Vec *result = hl_flatbuffer_result_from_String(text);
        free(text);
        return result;
    }
    case hl_ReturnType_VecBytes: {
        hl_Vec *bytes = hl_get_host_return_value_as_VecBytes();
        hl_Vec *result = hl_flatbuffer_result_from_Bytes(bytes->data, bytes->len);
        free(bytes);
        return result;
    }
    default:
        return hl_flatbuffer_result_from_Void();
    }
}

static hl_Vec *forward(const char *name, const hl_Parameter *parameters, size_t count,
                       hl_ReturnType type)
{
    if (!call_host(name, parameters, count, type)) {
        return hl_flatbuffer_result_from_host_error();
    }
    return answer(type);
}

#define ROUND_TRIP(function, host_function, type) \
    static hl_Vec *function(const hl_FunctionCall *call) \
    { \
        return forward(host_function, call->parameters, call->parameters_len, type); \
    }

ROUND_TRIP(round_trip_int, "HostEchoInt", hl_ReturnType_Int)
ROUND_TRIP(round_trip_uint, "HostEchoUInt", hl_ReturnType_UInt)
ROUND_TRIP(round_trip_long, "HostEchoLong", hl_ReturnType_Long)
ROUND_TRIP(round_trip_ulong, "HostEchoULong", hl_ReturnType_ULong)
ROUND_TRIP(round_trip_float, "HostEchoFloat", hl_ReturnType_Float)
ROUND_TRIP(round_trip_double, "HostEchoDouble", hl_ReturnType_Double)
ROUND_TRIP(round_trip_bool, "HostEchoBool", hl_ReturnType_Bool)
ROUND_TRIP(round_trip_string, "HostEchoString", hl_ReturnType_String)
ROUND_TRIP(round_trip_bytes, "HostEchoBytes", hl_ReturnType_VecBytes)
ROUND_TRIP(round_trip_void, "HostVoid", hl_ReturnType_Void)

static bool echo_int(int32_t value, int32_t *echoed)
{
    const hl_Parameter parameter = { .tag = hl_ParameterType_Int, .value.Int = value };
    if (!call_host("HostEchoInt", &parameter, 1, hl_ReturnType_Int)) {
        return false;
    }
    *echoed = hl_get_host_return_value_as_Int();
    return true;
}

static hl_Vec *call_host_times(const hl_FunctionCall *call)
{
    int64_t sum = 0;
    for (int32_t i = 0; i < PARAMETER(0, Int); i++) {
        int32_t echoed;
        if (!echo_int(i, &echoed)) {
            return hl_flatbuffer_result_from_host_error();
        }
        sum += echoed;
    }
    return hl_flatbuffer_result_from_Long(sum);
}

static hl_Vec *call_host_chain(const hl_FunctionCall *call)
{
    int32_t value = PARAMETER(1, Int);
    for (int32_t i = 0; i < PARAMETER(0, Int); i++) {
        if (!echo_int(value, &value)) {
            return hl_flatbuffer_result_from_host_error();
        }
    }
    return hl_flatbuffer_result_from_Int(value);
}

static hl_Vec *call_host_many(const hl_FunctionCall *call)
{
    (void)call;
    hl_Parameter parameters[10];
    for (int32_t i = 0; i < 10; i++) {
        parameters[i].tag = hl_ParameterType_Int;
        parameters[i].value.Int = i + 1;
    }
    return forward("HostSumTen", parameters, 10, hl_ReturnType_Long);
}

static hl_Vec *call_host_named(const hl_FunctionCall *call)
{
    return forward(PARAMETER(0, String), NULL, 0, hl_ReturnType_Int);
}

static hl_Vec *call_host_expect_string(const hl_FunctionCall *call)
{
    return forward(PARAMETER(0, String), NULL, 0, hl_ReturnType_String);
}

static hl_Vec *call_host_wrong_arity(const hl_FunctionCall *call)
{
    (void)call;
    const hl_Parameter parameters[] = {
        { .tag = hl_ParameterType_Int, .value.Int = 1 },
        { .tag = hl_ParameterType_Int, .value.Int = 2 },
    };
    return forward("HostEchoInt", parameters, 2, hl_ReturnType_Int);
}

static hl_Vec *call_host_wrong_type(const hl_FunctionCall *call)
{
    (void)call;
    const hl_Parameter parameter = { .tag = hl_ParameterType_String, .value.String = "not an int" };
    return forward("HostEchoInt", &parameter, 1, hl_ReturnType_Int);
}

static hl_Vec *call_host_two_deep(const hl_FunctionCall *call)
{
    if (!call_host("GetGreeting", call->parameters, 1, hl_ReturnType_String)) {
        return hl_flatbuffer_result_from_host_error();
    }
    char *greeting = (char *)hl_get_host_return_value_as_String();
    const hl_Parameter parameter = { .tag = hl_ParameterType_String, .value.String = greeting };
    hl_Vec *result = forward("Decorate", &parameter, 1, hl_ReturnType_String);
    free(greeting);
    return result;
}

static const struct guest_function functions[] = {
    { "RoundTripInt", round_trip_int, "i" },
    { "RoundTripUInt", round_trip_uint, "u" },
    { "RoundTripLong", round_trip_long, "l" },
    { "RoundTripULong", round_trip_ulong, "U" },
    { "RoundTripFloat", round_trip_float, "f" },
    { "RoundTripDouble", round_trip_double, "d" },
    { "RoundTripBool", round_trip_bool, "b" },
    { "RoundTripString", round_trip_string, "s" },
    { "RoundTripBytes", round_trip_bytes, "B" },
    { "RoundTripVoid", round_trip_void, "" },
    { "CallHostTimes", call_host_times, "i" },
    { "CallHostMany", call_host_many, "" },
    { "CallHostNamed", call_host_named, "s" },
    { "CallHostWrongArity", call_host_wrong_arity, "" },
    { "CallHostWrongType", call_host_wrong_type, "" },
    { "CallHostChain", call_host_chain, "ii" },
    { "CallHostTwoDeep", call_host_two_deep, "s" },
    { "CallHostExpectString", call_host_expect_string, "s" },
};

void register_host_calls(void)
{
    REGISTER(functions);
}
