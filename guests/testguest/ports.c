// SPDX-License-Identifier: Apache-2.0
//
// Exits to the host that the protocol does not know, or not like this.

#include "testguest.h"

#include "../runtime/ports.h"

static hl_Vec *out_port(const hl_FunctionCall *call)
{
    hl_out32((uint16_t)PARAMETER(0, Int), (uint32_t)PARAMETER(1, ULong));
    return hl_flatbuffer_result_from_Void();
}

static hl_Vec *out_port_16(const hl_FunctionCall *call)
{
    hl_out16((uint16_t)PARAMETER(0, Int), (uint16_t)PARAMETER(1, ULong));
    return hl_flatbuffer_result_from_Void();
}

static hl_Vec *out_port_8(const hl_FunctionCall *call)
{
    hl_out8((uint16_t)PARAMETER(0, Int), (uint8_t)PARAMETER(1, ULong));
    return hl_flatbuffer_result_from_Void();
}

static hl_Vec *in_port(const hl_FunctionCall *call)
{
    return hl_flatbuffer_result_from_UInt(hl_in32((uint16_t)PARAMETER(0, Int)));
}

__attribute__((noreturn)) static hl_Vec *halt_instruction(const hl_FunctionCall *call)
{
    (void)call;
    for (;;) {
        __asm__ volatile("hlt" : : : "memory");
    }
}

static hl_Vec *halt_without_result(const hl_FunctionCall *call)
{
    (void)call;
    hl_halt();
}

static const struct guest_function functions[] = {
    { "OutPort", out_port, "iU" },
    { "OutPort16", out_port_16, "iU" },
    { "OutPort8", out_port_8, "iU" },
    { "InPort", in_port, "i" },
    { "Hlt", halt_instruction, "" },
    { "HaltWithoutResult", halt_without_result, "" },
};

void register_ports(void)
{
    REGISTER(functions);
}
