// SPDX-License-Identifier: Apache-2.0
//
// Floating-point and vector registers. Only a guest compiled for them has these
// functions.

#include "testguest.h"

#ifdef __SSE2__

// On purpose not saved around a call: a host test sets the register with one
// call and looks at it in the next.

static hl_Vec *set_xmm(const hl_FunctionCall *call)
{
    __asm__ volatile("movq %0, %%xmm5" : : "r"(PARAMETER(0, ULong)) : "xmm5");
    return hl_flatbuffer_result_from_Void();
}

static hl_Vec *get_xmm(const hl_FunctionCall *call)
{
    (void)call;
    uint64_t value;
    __asm__ volatile("movq %%xmm5, %0" : "=r"(value));
    return hl_flatbuffer_result_from_ULong(value);
}

static hl_Vec *set_mxcsr(const hl_FunctionCall *call)
{
    __asm__ volatile("ldmxcsr %0" : : "m"(PARAMETER(0, UInt)));
    return hl_flatbuffer_result_from_Void();
}

static hl_Vec *get_mxcsr(const hl_FunctionCall *call)
{
    (void)call;
    uint32_t value;
    __asm__ volatile("stmxcsr %0" : "=m"(value));
    return hl_flatbuffer_result_from_UInt(value);
}

static double sse_sum(double left, double right)
{
    return left + right;
}

static hl_Vec *sse_add(const hl_FunctionCall *call)
{
    return hl_flatbuffer_result_from_Double(sse_sum(PARAMETER(0, Double), PARAMETER(1, Double)));
}

static hl_Vec *x87_add(const hl_FunctionCall *call)
{
    double sum;
    __asm__ volatile("fldl %1; faddl %2; fstpl %0"
                     : "=m"(sum)
                     : "m"(PARAMETER(0, Double)), "m"(PARAMETER(1, Double))
                     : "st");
    return hl_flatbuffer_result_from_Double(sum);
}

static const struct guest_function functions[] = {
    { "SetXmm", set_xmm, "U" },
    { "GetXmm", get_xmm, "" },
    { "SetMxcsr", set_mxcsr, "u" },
    { "GetMxcsr", get_mxcsr, "" },
    { "SseAdd", sse_add, "dd" },
    { "X87Add", x87_add, "dd" },
};

void register_vectors(void)
{
    REGISTER(functions);
}

#else

void register_vectors(void)
{
}

#endif
