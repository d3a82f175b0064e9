// SPDX-License-Identifier: Apache-2.0
//
// The C interface of a Hyperlight guest.
//
// A guest defines hyperlight_main(), which registers the functions the host may
// call. Each registered function takes the decoded call and returns an encoded
// result, made by one of the hl_flatbuffer_result_from_* functions. macro.h
// generates such functions from plain C functions.
//
// Names, types and signatures are those of the Hyperlight C guest interface
// 0.15, so that guest sources written for it compile unchanged. What this
// project adds is in hyperlight_guest_ext.h.
//
// Floating point. A guest compiled without SSE (-mgeneral-regs-only) cannot
// pass a float or a double by value. hl_float and hl_double are therefore the
// types to use for values that only travel through the guest: with SSE they are
// float and double; without, they are structures that hold the bit pattern.
// HL_FLOAT_BITS, HL_FLOAT_FROM_BITS, HL_DOUBLE_BITS and HL_DOUBLE_FROM_BITS work
// in both modes and are always bit exact. A guest and the runtime it is linked
// with must be compiled in the same mode.

#ifndef HYPERLIGHT_GUEST_H
#define HYPERLIGHT_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LOG(level, message) hl_log(level, message, __LINE__, __FILE__)

#ifdef __SSE2__

typedef float hl_float;
typedef double hl_double;

#define HL_FLOAT_BITS(value) (((union { float number; uint32_t bits; }){ .number = (value) }).bits)
#define HL_DOUBLE_BITS(value) (((union { double number; uint64_t bits; }){ .number = (value) }).bits)
#define HL_FLOAT_FROM_BITS(pattern) (((union { uint32_t bits; float number; }){ .bits = (pattern) }).number)
#define HL_DOUBLE_FROM_BITS(pattern) (((union { uint64_t bits; double number; }){ .bits = (pattern) }).number)

#else

typedef struct {
    uint32_t bits;
} hl_float;

typedef struct {
    uint64_t bits;
} hl_double;

#define HL_FLOAT_BITS(value) ((value).bits)
#define HL_DOUBLE_BITS(value) ((value).bits)
#define HL_FLOAT_FROM_BITS(pattern) ((hl_float){ .bits = (pattern) })
#define HL_DOUBLE_FROM_BITS(pattern) ((hl_double){ .bits = (pattern) })

#endif

typedef enum {
    hl_ErrorCode_NoError = 0,
    hl_ErrorCode_UnsupportedParameterType = 2,
    hl_ErrorCode_GuestFunctionNameNotProvided = 3,
    hl_ErrorCode_GuestFunctionNotFound = 4,
    hl_ErrorCode_GuestFunctionIncorrecNoOfParameters = 5,
    hl_ErrorCode_GispatchFunctionPointerNotSet = 6,
    hl_ErrorCode_OutbError = 7,
    hl_ErrorCode_UnknownError = 8,
    hl_ErrorCode_GsCheckFailed = 10,
    hl_ErrorCode_TooManyGuestFunctions = 11,
    hl_ErrorCode_FailureInDlmalloc = 12,
    hl_ErrorCode_MallocFailed = 13,
    hl_ErrorCode_GuestFunctionParameterTypeMismatch = 14,
    hl_ErrorCode_GuestError = 15,
    hl_ErrorCode_ArrayLengthParamIsMissing = 16,
    hl_ErrorCode_HostFunctionError = 17,
} hl_ErrorCode;

typedef enum {
    hl_ParameterType_Int,
    hl_ParameterType_UInt,
    hl_ParameterType_Long,
    hl_ParameterType_ULong,
    hl_ParameterType_Float,
    hl_ParameterType_Double,
    hl_ParameterType_String,
    hl_ParameterType_Bool,
    hl_ParameterType_VecBytes,
} hl_ParameterType;

typedef enum {
    hl_ReturnType_Int,
    hl_ReturnType_UInt,
    hl_ReturnType_Long,
    hl_ReturnType_ULong,
    hl_ReturnType_Float,
    hl_ReturnType_Double,
    hl_ReturnType_String,
    hl_ReturnType_Bool,
    hl_ReturnType_Void,
    hl_ReturnType_VecBytes,
} hl_ReturnType;

typedef enum {
    hl_Level_Error = 1,
    hl_Level_Warn,
    hl_Level_Info,
    hl_Level_Debug,
    hl_Level_Trace,
} hl_Level;

// A run of bytes. As a parameter: the bytes themselves. As what a guest
// function returns: an encoded result, owned by the runtime once returned.
typedef struct {
    uint8_t *data;
    uintptr_t len;
} hl_Vec;

typedef union {
    int32_t Int;
    uint32_t UInt;
    int64_t Long;
    uint64_t ULong;
    hl_float Float;
    hl_double Double;
    bool Bool;
    char *String;
    hl_Vec VecBytes;
} hl_ParameterValue;

typedef struct {
    hl_ParameterType tag;
    hl_ParameterValue value;
} hl_Parameter;

// A call, in either direction. Everything a guest function is handed lives
// until the function returns.
typedef struct {
    const char *function_name;
    const hl_Parameter *parameters;
    uintptr_t parameters_len;
    hl_ReturnType return_type;
} hl_FunctionCall;

typedef hl_Vec *(*hl_CGuestFunc)(const hl_FunctionCall *);

// Supplied by the guest. Both have defaults that do nothing and return NULL.
void hyperlight_main(void);
hl_Vec *c_guest_dispatch_function(const hl_FunctionCall *function_call);

// Registers a function under a name; a second registration of a name replaces
// the first. At most 11 parameters.
void hl_register_function_definition(const char *function_name, hl_CGuestFunc func_ptr,
                                     uintptr_t param_no, const hl_ParameterType *params_type,
                                     hl_ReturnType return_type);

// Calls a host function. The answer is fetched with the getter of the type
// named in the call; a getter ends the guest (abort, code 8) if the host
// function failed or answered with another type. hl_try_call_host_function in
// hyperlight_guest_ext.h leaves the failure to the caller.
void hl_call_host_function(const hl_FunctionCall *function_call);

int32_t hl_get_host_return_value_as_Int(void);
uint32_t hl_get_host_return_value_as_UInt(void);
int64_t hl_get_host_return_value_as_Long(void);
uint64_t hl_get_host_return_value_as_ULong(void);
bool hl_get_host_return_value_as_Bool(void);
hl_float hl_get_host_return_value_as_Float(void);
hl_double hl_get_host_return_value_as_Double(void);

// The string and the vector are the caller's; free() releases them.
const char *hl_get_host_return_value_as_String(void);
hl_Vec *hl_get_host_return_value_as_VecBytes(void);

hl_Vec *hl_flatbuffer_result_from_Int(int32_t value);
hl_Vec *hl_flatbuffer_result_from_UInt(uint32_t value);
hl_Vec *hl_flatbuffer_result_from_Long(int64_t value);
hl_Vec *hl_flatbuffer_result_from_ULong(uint64_t value);
hl_Vec *hl_flatbuffer_result_from_Float(hl_float value);
hl_Vec *hl_flatbuffer_result_from_Double(hl_double value);
hl_Vec *hl_flatbuffer_result_from_Void(void);
hl_Vec *hl_flatbuffer_result_from_String(const char *value);
hl_Vec *hl_flatbuffer_result_from_Bytes(const uint8_t *data, uintptr_t len);
hl_Vec *hl_flatbuffer_result_from_Bool(bool value);

// Makes the running call answer with this error instead of what it returns.
void hl_set_error(hl_ErrorCode err, const char *message);

// End the guest. The host sees the low byte of err.
void hl_abort_with_code(int32_t err);
void hl_abort_with_code_and_message(int32_t err, const char *message);

// Sends a record to the host if the filter given at initialisation lets it pass.
void hl_log(hl_Level level, const char *message, int32_t line, const char *file);

#ifdef __cplusplus
}
#endif

#include "macro.h"

#endif
