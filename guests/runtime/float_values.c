// SPDX-License-Identifier: Apache-2.0
//
// The functions that take or return floating point by value. The only file of
// the runtime that is compiled in the guest's own mode: the rest keeps to the
// general registers, so that exception handling cannot disturb the others.

#include "host_call.h"
#include "result.h"

hl_Vec *hl_flatbuffer_result_from_Float(hl_float value)
{
    return hl_result_from_float_bits(HL_FLOAT_BITS(value));
}

hl_Vec *hl_flatbuffer_result_from_Double(hl_double value)
{
    return hl_result_from_double_bits(HL_DOUBLE_BITS(value));
}

hl_float hl_get_host_return_value_as_Float(void)
{
    return HL_FLOAT_FROM_BITS(hl_host_value(hl_ReturnType_Float)->UInt);
}

hl_double hl_get_host_return_value_as_Double(void)
{
    return HL_DOUBLE_FROM_BITS(hl_host_value(hl_ReturnType_Double)->ULong);
}
