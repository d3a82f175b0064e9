// SPDX-License-Identifier: Apache-2.0
//
// What this runtime offers beyond the common C guest interface.

#ifndef HYPERLIGHT_GUEST_EXT_H
#define HYPERLIGHT_GUEST_EXT_H

#include "hyperlight_guest.h"

#ifdef __cplusplus
extern "C" {
#endif

// An encoded error, to be returned from a guest function in place of a value.
hl_Vec *hl_flatbuffer_result_from_error(hl_ErrorCode code, const char *message);

// Calls a host function. True: it answered with the type named in the call, and
// the getter of that type returns the answer. False: hl_host_error_code,
// hl_host_error_message and hl_flatbuffer_result_from_host_error tell why. The
// message lives until the next host call.
bool hl_try_call_host_function(const hl_FunctionCall *function_call);
uint64_t hl_host_error_code(void);
const char *hl_host_error_message(void);
hl_Vec *hl_flatbuffer_result_from_host_error(void);

// Sends a record with every field named; hl_log fills in the usual ones.
// Returns whether the filter let it pass.
bool hl_log_record(hl_Level level, const char *message, const char *source, const char *caller,
                   const char *file, uint32_t line);

// The filter given at initialisation: 0 is off, else the highest hl_Level sent.
uint32_t hl_log_filter(void);

// Writes text to the host's standard error, one byte per exit.
void hl_debug_print(const char *text);

// Random bits from the host, or bits that follow from the seed that the
// application has set. Others after every restore of a snapshot; rand then
// starts over from a new seed, too.
uint64_t hl_seed(void);

// What the host told the guest at initialisation.
uint32_t hl_page_size(void);
hl_Vec hl_init_data(void);

// A file that the host mapped into physical memory. The label ends with a zero.
typedef struct {
    uint64_t physical_address;
    uint64_t size;
    char label[64];
} hl_FileMapping;

// The file mapping of a label; NULL if there is none, or if the host keeps no
// table of them. The table changes between calls, when the host maps and unmaps.
const hl_FileMapping *hl_find_file_mapping(const char *label);

// Maps physical memory outside the image and scratch, whole pages, at virtual
// addresses equal to the physical ones: readable, and copied page by page when it
// is written, so that the host's memory or file never changes. Takes scratch
// memory for page tables: a page for each 2 MiB, and one or two besides.
void *hl_map_physical(uint64_t physical, uint64_t size);

// Removes the virtual addresses again. Copies that writing made are lost.
void hl_unmap_physical(uint64_t physical, uint64_t size);

// Tells the host that the run is over, without a result. Does not return.
__attribute__((noreturn)) void hl_halt(void);

// Ends the guest with an abort whose message is made of exactly these bytes.
__attribute__((noreturn)) void hl_abort_with_bytes(uint8_t code, const void *bytes, size_t length);

// Processor state at an exception. The FXSAVE image and the selectors are for
// the handler to read and to change, like everything else here.
typedef struct {
    uint64_t ds, gs, fs, es;
    uint8_t fxsave[512] __attribute__((aligned(16)));
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
    uint64_t reserved;
} hl_ExceptionContext;

typedef struct {
    uint64_t error_code;
    uint64_t rip;
    uint64_t cs;
    uint64_t rflags;
    uint64_t rsp;
    uint64_t ss;
} hl_ExceptionInfo;

// A handler returns true to resume with the state as it left it, false to let
// the exception end the guest. It runs on an exception stack. A handler for
// vector 14 must write to nothing but its stack, the two structures and pages
// that were written before: a copy-on-write fault inside it would overwrite its
// own stack. Handlers for other vectors have no such restriction.
typedef bool (*hl_ExceptionHandler)(uint64_t vector, hl_ExceptionInfo *info,
                                    hl_ExceptionContext *context, uint64_t page_fault_address);

// Installs a handler for a vector from 0 to 30; NULL removes it. Returns the
// previous one. Page faults that grow the stack or copy a page never reach it.
hl_ExceptionHandler hl_set_exception_handler(uint64_t vector, hl_ExceptionHandler handler);

#ifdef __cplusplus
}
#endif

#endif
