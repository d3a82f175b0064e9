// SPDX-License-Identifier: Apache-2.0
//
// Model-specific registers.

#include "testguest.h"

static hl_Vec *read_msr(const hl_FunctionCall *call)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(PARAMETER(0, UInt)));
    return hl_flatbuffer_result_from_ULong((uint64_t)high << 32 | low);
}

static hl_Vec *write_msr(const hl_FunctionCall *call)
{
    uint64_t value = PARAMETER(1, ULong);
    __asm__ volatile("wrmsr"
                     :
                     : "c"(PARAMETER(0, UInt)), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
    return hl_flatbuffer_result_from_Void();
}

static const struct guest_function functions[] = {
    { "ReadMsr", read_msr, "u" },
    { "WriteMsr", write_msr, "uU" },
};

void register_processor(void)
{
    REGISTER(functions);
}
