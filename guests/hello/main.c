// SPDX-License-Identifier: Apache-2.0
//
// The smallest guest that does something: it greets, and asks the host for the
// day of the week.

#include <hyperlight_guest_ext.h>

#include <stdio.h>
#include <stdlib.h>

#define GREETING_SIZE 512

static int32_t add(int32_t left, int32_t right)
{
    return (int32_t)((uint32_t)left + (uint32_t)right);
}

HYPERLIGHT_WRAP_FUNCTION(add, Int, 2, Int, Int)

// Not wrapped: a host function may fail, and then this returns its error.
static hl_Vec *say_hello(const hl_FunctionCall *call)
{
    const char *name = call->parameters[0].value.String;
    const hl_FunctionCall weekday = { .function_name = "GetWeekday",
                                      .return_type = hl_ReturnType_String };
    char greeting[GREETING_SIZE];

    if (!hl_try_call_host_function(&weekday)) {
        return hl_flatbuffer_result_from_host_error();
    }
    const char *day = hl_get_host_return_value_as_String();
    snprintf(greeting, sizeof greeting, "Hello, %s! Today is %s.",
             name[0] != '\0' ? name : "World", day);
    free((void *)day);
    return hl_flatbuffer_result_from_String(greeting);
}

void hyperlight_main(void)
{
    static const hl_ParameterType name[] = { hl_ParameterType_String };

    HYPERLIGHT_REGISTER_FUNCTION("Add", add);
    hl_register_function_definition("SayHello", say_hello, 1, name, hl_ReturnType_String);
}
