// SPDX-License-Identifier: Apache-2.0
//
// Errors and aborts.

#include "testguest.h"

#include "../runtime/abort.h"
#include "../runtime/ports.h"

#include <assert.h>
#include <stdlib.h>

static hl_Vec *return_error(const hl_FunctionCall *call)
{
    return hl_flatbuffer_result_from_error((hl_ErrorCode)PARAMETER(0, Int), PARAMETER(1, String));
}

static hl_Vec *abort_plain(const hl_FunctionCall *call)
{
    (void)call;
    abort();
}

static hl_Vec *abort_with_code(const hl_FunctionCall *call)
{
    hl_abort_with_code(PARAMETER(0, Int));
    return NULL;
}

static hl_Vec *abort_with_message(const hl_FunctionCall *call)
{
    hl_abort_with_code_and_message(PARAMETER(0, Int), PARAMETER(1, String));
    return NULL;
}

// Leaves the host with the beginning of an abort that never ends.
static hl_Vec *abort_halfway(const hl_FunctionCall *call)
{
    (void)call;
    struct hl_abort_writer writer = { 0 };
    hl_abort_put_byte(&writer, hl_ErrorCode_GuestError);
    hl_abort_put_text(&writer, "half");
    hl_abort_flush(&writer);
    hl_halt();
}

// More than the 1024 bytes a host collects.
static hl_Vec *abort_overflow(const hl_FunctionCall *call)
{
    (void)call;
    struct hl_abort_writer writer = { 0 };
    hl_abort_put_byte(&writer, hl_ErrorCode_GuestError);
    for (int i = 0; i < 1100; i++) {
        hl_abort_put_byte(&writer, 'x');
    }
    hl_abort_finish(&writer);
}

static hl_Vec *assert_fails(const hl_FunctionCall *call)
{
    assert(call == NULL);
    return NULL;
}

static const struct guest_function functions[] = {
    { "ReturnError", return_error, "is" },
    { "Abort", abort_plain, "" },
    { "AbortWithCode", abort_with_code, "i" },
    { "AbortWithMessage", abort_with_message, "is" },
    { "AbortHalfway", abort_halfway, "" },
    { "AbortOverflow", abort_overflow, "" },
    { "AssertFails", assert_fails, "" },
};

void register_errors(void)
{
    REGISTER(functions);
}
