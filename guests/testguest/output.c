// SPDX-License-Identifier: Apache-2.0
//
// Log records and text.

#include "testguest.h"

#include <stdio.h>

static hl_Vec *log_message(const hl_FunctionCall *call)
{
    LOG((hl_Level)PARAMETER(0, Int), PARAMETER(1, String));
    return hl_flatbuffer_result_from_Void();
}

static hl_Vec *log_all_levels(const hl_FunctionCall *call)
{
    (void)call;
    static const char *const messages[] = { "error", "warning", "information", "debug", "trace" };
    int32_t sent = 0;
    for (hl_Level level = hl_Level_Error; level <= hl_Level_Trace; level++) {
        sent += hl_log_record(level, messages[level - hl_Level_Error], "testguest",
                              "LogAllLevels", __FILE__, __LINE__);
    }
    return hl_flatbuffer_result_from_Int(sent);
}

static hl_Vec *print(const hl_FunctionCall *call)
{
    const hl_FunctionCall host_print = { .function_name = "HostPrint",
                                         .parameters = call->parameters,
                                         .parameters_len = 1,
                                         .return_type = hl_ReturnType_Int };
    if (!hl_try_call_host_function(&host_print)) {
        return hl_flatbuffer_result_from_host_error();
    }
    return hl_flatbuffer_result_from_Int(hl_get_host_return_value_as_Int());
}

static hl_Vec *print_formatted(const hl_FunctionCall *call)
{
    // The host chooses the format; it only ever goes with one integer.
    printf(PARAMETER(0, String), PARAMETER(1, Int));
    return hl_flatbuffer_result_from_Void();
}

static hl_Vec *debug_print(const hl_FunctionCall *call)
{
    hl_debug_print(PARAMETER(0, String));
    return hl_flatbuffer_result_from_Void();
}

static hl_Vec *get_log_level(const hl_FunctionCall *call)
{
    (void)call;
    return hl_flatbuffer_result_from_Int((int32_t)hl_log_filter());
}

static const struct guest_function functions[] = {
    { "LogMessage", log_message, "is" },
    { "LogAllLevels", log_all_levels, "" },
    { "Print", print, "s" },
    { "Printf", print_formatted, "si" },
    { "DebugPrint", debug_print, "s" },
    { "GetLogLevel", get_log_level, "" },
};

void register_output(void)
{
    REGISTER(functions);
}
