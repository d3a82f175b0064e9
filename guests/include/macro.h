// SPDX-License-Identifier: Apache-2.0
//
// HYPERLIGHT_WRAP_FUNCTION(function, return_type, count, types...) makes a
// registrable function out of a plain C function: it hands the parameters over
// one by one and encodes what the function returns. Types are named as in
// hl_ParameterType and hl_ReturnType (Int, String, VecBytes, ...), up to 11.
// For the return type VecBytes the function itself returns an encoded result.
//
// HYPERLIGHT_REGISTER_FUNCTION(name, function) registers it under a name.

#ifndef HYPERLIGHT_GUEST_MACRO_H
#define HYPERLIGHT_GUEST_MACRO_H

#include "hyperlight_guest.h"

#define HL_ARGUMENT(index, type) function_call->parameters[index].value.type

#define HL_ARGUMENTS_0(...)
#define HL_ARGUMENTS_1(a) HL_ARGUMENT(0, a)
#define HL_ARGUMENTS_2(a, b) HL_ARGUMENTS_1(a), HL_ARGUMENT(1, b)
#define HL_ARGUMENTS_3(a, b, c) HL_ARGUMENTS_2(a, b), HL_ARGUMENT(2, c)
#define HL_ARGUMENTS_4(a, b, c, d) HL_ARGUMENTS_3(a, b, c), HL_ARGUMENT(3, d)
#define HL_ARGUMENTS_5(a, b, c, d, e) HL_ARGUMENTS_4(a, b, c, d), HL_ARGUMENT(4, e)
#define HL_ARGUMENTS_6(a, b, c, d, e, f) HL_ARGUMENTS_5(a, b, c, d, e), HL_ARGUMENT(5, f)
#define HL_ARGUMENTS_7(a, b, c, d, e, f, g) HL_ARGUMENTS_6(a, b, c, d, e, f), HL_ARGUMENT(6, g)
#define HL_ARGUMENTS_8(a, b, c, d, e, f, g, h) HL_ARGUMENTS_7(a, b, c, d, e, f, g), HL_ARGUMENT(7, h)
#define HL_ARGUMENTS_9(a, b, c, d, e, f, g, h, i) \
    HL_ARGUMENTS_8(a, b, c, d, e, f, g, h), HL_ARGUMENT(8, i)
#define HL_ARGUMENTS_10(a, b, c, d, e, f, g, h, i, j) \
    HL_ARGUMENTS_9(a, b, c, d, e, f, g, h, i), HL_ARGUMENT(9, j)
#define HL_ARGUMENTS_11(a, b, c, d, e, f, g, h, i, j, k) \
    HL_ARGUMENTS_10(a, b, c, d, e, f, g, h, i, j), HL_ARGUMENT(10, k)

#define HL_TYPE(type) hl_ParameterType_##type

// The list for no parameters still has one element: C has no empty arrays.
#define HL_TYPES_0(...) HL_TYPE(Int)
#define HL_TYPES_1(a) HL_TYPE(a)
#define HL_TYPES_2(a, b) HL_TYPES_1(a), HL_TYPE(b)
#define HL_TYPES_3(a, b, c) HL_TYPES_2(a, b), HL_TYPE(c)
#define HL_TYPES_4(a, b, c, d) HL_TYPES_3(a, b, c), HL_TYPE(d)
#define HL_TYPES_5(a, b, c, d, e) HL_TYPES_4(a, b, c, d), HL_TYPE(e)
#define HL_TYPES_6(a, b, c, d, e, f) HL_TYPES_5(a, b, c, d, e), HL_TYPE(f)
#define HL_TYPES_7(a, b, c, d, e, f, g) HL_TYPES_6(a, b, c, d, e, f), HL_TYPE(g)
#define HL_TYPES_8(a, b, c, d, e, f, g, h) HL_TYPES_7(a, b, c, d, e, f, g), HL_TYPE(h)
#define HL_TYPES_9(a, b, c, d, e, f, g, h, i) HL_TYPES_8(a, b, c, d, e, f, g, h), HL_TYPE(i)
#define HL_TYPES_10(a, b, c, d, e, f, g, h, i, j) HL_TYPES_9(a, b, c, d, e, f, g, h, i), HL_TYPE(j)
#define HL_TYPES_11(a, b, c, d, e, f, g, h, i, j, k) \
    HL_TYPES_10(a, b, c, d, e, f, g, h, i, j), HL_TYPE(k)

#define HL_ENCODE_Int(call) hl_flatbuffer_result_from_Int(call)
#define HL_ENCODE_UInt(call) hl_flatbuffer_result_from_UInt(call)
#define HL_ENCODE_Long(call) hl_flatbuffer_result_from_Long(call)
#define HL_ENCODE_ULong(call) hl_flatbuffer_result_from_ULong(call)
#define HL_ENCODE_Float(call) hl_flatbuffer_result_from_Float(call)
#define HL_ENCODE_Double(call) hl_flatbuffer_result_from_Double(call)
#define HL_ENCODE_Bool(call) hl_flatbuffer_result_from_Bool(call)
#define HL_ENCODE_String(call) hl_flatbuffer_result_from_String(call)
#define HL_ENCODE_Void(call) ((call), hl_flatbuffer_result_from_Void())
#define HL_ENCODE_VecBytes(call) (call)

#define HYPERLIGHT_WRAP_FUNCTION(function, return_type, count, ...) \
    hl_Vec *_call_##function(const hl_FunctionCall *function_call) \
    { \
        (void)function_call; \
        return HL_ENCODE_##return_type(function(HL_ARGUMENTS_##count(__VA_ARGS__))); \
    } \
    const uintptr_t _##function##_parameter_count = count; \
    const hl_ReturnType _##function##_return_type = hl_ReturnType_##return_type; \
    const hl_ParameterType _##function##_parameter_types[] = { HL_TYPES_##count(__VA_ARGS__) };

#define HYPERLIGHT_REGISTER_FUNCTION(name, function) \
    hl_register_function_definition(name, _call_##function, _##function##_parameter_count, \
                                    _##function##_parameter_types, _##function##_return_type)

#endif
