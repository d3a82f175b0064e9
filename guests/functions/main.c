// SPDX-License-Identifier: Apache-2.0
//
// Functions of a function service: useful ones, and some that misbehave. The
// function ListFunctions returns the signature of each, one a line, so that the
// service knows their types.

#include <hyperlight_guest_ext.h>

#include <stdlib.h>
#include <string.h>

static int32_t add(int32_t left, int32_t right)
{
    return (int32_t)((uint32_t)left + (uint32_t)right);
}

HYPERLIGHT_WRAP_FUNCTION(add, Int, 2, Int, Int)

static hl_Vec *reverse(hl_Vec bytes)
{
    uint8_t *reversed = malloc(bytes.len + 1);
    for (size_t i = 0; i < bytes.len; i++) {
        reversed[i] = bytes.data[bytes.len - 1 - i];
    }
    hl_Vec *result = hl_flatbuffer_result_from_Bytes(reversed, bytes.len);
    free(reversed);
    return result;
}

HYPERLIGHT_WRAP_FUNCTION(reverse, VecBytes, 1, VecBytes)

// Sieves, so that the work grows with the limit.
static hl_Vec *count_primes(const hl_FunctionCall *call)
{
    const uint32_t largest = 1000000;
    uint32_t limit = call->parameters[0].value.UInt;
    if (limit > largest) {
        return hl_flatbuffer_result_from_error(hl_ErrorCode_GuestError, "the limit is at most 1000000");
    }
    uint8_t *composite = calloc(limit + 1UL, 1);
    uint32_t count = 0;
    for (uint32_t number = 2; number <= limit; number++) {
        if (composite[number]) {
            continue;
        }
        count++;
        for (uint64_t multiple = (uint64_t)number * number; multiple <= limit; multiple += number) {
            composite[multiple] = 1;
        }
    }
    free(composite);
    return hl_flatbuffer_result_from_UInt(count);
}

// Keeps a text, and returns the one that was kept before. In a service that
// isolates requests it is always empty.
static char *remembered;

static hl_Vec *remember(const hl_FunctionCall *call)
{
    char *before = remembered;
    remembered = strdup(call->parameters[0].value.String);
    hl_Vec *result = hl_flatbuffer_result_from_String(before == NULL ? "" : before);
    free(before);
    return result;
}

static hl_Vec *wait_for(const hl_FunctionCall *call)
{
    const hl_FunctionCall delay = {
        .function_name = "Delay",
        .parameters = call->parameters,
        .parameters_len = 1,
        .return_type = hl_ReturnType_UInt,
    };
    if (!hl_try_call_host_function(&delay)) {
        return hl_flatbuffer_result_from_host_error();
    }
    return hl_flatbuffer_result_from_UInt(hl_get_host_return_value_as_UInt());
}

static void write_log(const char *text, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        LOG(hl_Level_Info, text);
    }
}

HYPERLIGHT_WRAP_FUNCTION(write_log, Void, 2, String, UInt)

static hl_Vec *fail(const hl_FunctionCall *call)
{
    return hl_flatbuffer_result_from_error(hl_ErrorCode_GuestError, call->parameters[0].value.String);
}

// An invalid instruction, which the runtime reports as an abort.
static void crash(void)
{
    __builtin_trap();
}

HYPERLIGHT_WRAP_FUNCTION(crash, Void, 0)

static void spin(void)
{
    for (;;) {
        __asm__ volatile("" ::: "memory");
    }
}

HYPERLIGHT_WRAP_FUNCTION(spin, Void, 0)

static void call_host_forever(void)
{
    const hl_Parameter nothing = { .tag = hl_ParameterType_UInt };
    const hl_FunctionCall delay = {
        .function_name = "Delay",
        .parameters = &nothing,
        .parameters_len = 1,
        .return_type = hl_ReturnType_UInt,
    };
    while (hl_try_call_host_function(&delay)) {
    }
}

HYPERLIGHT_WRAP_FUNCTION(call_host_forever, Void, 0)

static const char *list_functions(void)
{
    return "int Add(int left, int right)\n"
           "bytes Reverse(bytes data)\n"
           "uint CountPrimes(uint limit)\n"
           "string Remember(string text)\n"
           "uint Wait(uint milliseconds)\n"
           "void Log(string text, uint count)\n"
           "void Fail(string message)\n"
           "void Crash()\n"
           "void Spin()\n"
           "void CallHostForever()\n";
}

HYPERLIGHT_WRAP_FUNCTION(list_functions, String, 0)

void hyperlight_main(void)
{
    static const hl_ParameterType text[] = { hl_ParameterType_String };
    static const hl_ParameterType number[] = { hl_ParameterType_UInt };

    HYPERLIGHT_REGISTER_FUNCTION("ListFunctions", list_functions);
    HYPERLIGHT_REGISTER_FUNCTION("Add", add);
    HYPERLIGHT_REGISTER_FUNCTION("Reverse", reverse);
    hl_register_function_definition("CountPrimes", count_primes, 1, number, hl_ReturnType_UInt);
    hl_register_function_definition("Remember", remember, 1, text, hl_ReturnType_String);
    hl_register_function_definition("Wait", wait_for, 1, number, hl_ReturnType_UInt);
    HYPERLIGHT_REGISTER_FUNCTION("Log", write_log);
    hl_register_function_definition("Fail", fail, 1, text, hl_ReturnType_Void);
    HYPERLIGHT_REGISTER_FUNCTION("Crash", crash);
    HYPERLIGHT_REGISTER_FUNCTION("Spin", spin);
    HYPERLIGHT_REGISTER_FUNCTION("CallHostForever", call_host_forever);
}
