// SPDX-License-Identifier: Apache-2.0
//
// The functions that the host calls: LoadProgram once, then RunProgram, after a
// restore of the snapshot that was taken between the two.

#include "../runtime/abort.h"
#include "../runtime/state.h"
#include "image.h"
#include "pages.h"
#include "processor.h"
#include "program.h"
#include "random.h"
#include "system_calls.h"

#include <hyperlight_guest_ext.h>
#include <string.h>

#define REQUEST_HEADER (8 + RANDOM_SEED_SIZE + 4 + 4)
#define NAME_SIZE 24
#define MOST_ENTRIES 400

struct missing_entry {
    uint32_t number;
    uint32_t count;
    char name[NAME_SIZE];
};

struct result {
    uint32_t exit_code;
    uint32_t signal;
    uint32_t reason;
    uint32_t entry_count;
    uint64_t fault_address;
    struct missing_entry entries[MOST_ENTRIES];
};

static struct result result;
static bool has_run;

static hl_Vec *load_program(const hl_FunctionCall *call)
{
    const char *problem = image_load(call->parameters[0].value.ULong, call->parameters[1].value.ULong);
    return problem != NULL ? hl_flatbuffer_result_from_error(hl_ErrorCode_GuestError, problem)
                           : hl_flatbuffer_result_from_Void();
}

// Whether exactly as many strings follow as the header says.
static bool check_strings(const struct program_request *request)
{
    uint64_t count = 0;
    for (size_t i = 0; i < request->strings_size; i++) {
        count += request->strings[i] == 0;
    }
    return request->argument_count != 0 &&
           count == (uint64_t)request->argument_count + request->environment_count &&
           request->strings[request->strings_size - 1] == 0;
}

static bool parse_request(const hl_Vec *bytes, struct program_request *request)
{
    if (bytes->len <= REQUEST_HEADER) {
        return false;
    }
    const uint8_t *header = bytes->data;
    memcpy(&request->memory_limit, header, 8);
    request->random = header + 8;
    memcpy(&request->argument_count, header + 8 + RANDOM_SEED_SIZE, 4);
    memcpy(&request->environment_count, header + 8 + RANDOM_SEED_SIZE + 4, 4);
    request->strings = (const char *)header + REQUEST_HEADER;
    request->strings_size = bytes->len - REQUEST_HEADER;
    return check_strings(request);
}

static void list_missing_calls(void)
{
    for (uint32_t number = 0; number <= SYSTEM_CALL_NUMBERS; number++) {
        if (missing_calls(number) == 0 || result.entry_count == MOST_ENTRIES) {
            continue;
        }
        struct missing_entry *entry = &result.entries[result.entry_count++];
        const char *name = system_call_name(number);
        entry->number = number;
        entry->count = missing_calls(number);
        if (name != NULL) {
            strncpy(entry->name, name, sizeof entry->name);
        }
    }
}

static hl_Vec *run_program(const hl_FunctionCall *call)
{
    struct program_request request;
    if (has_run) {
        return hl_flatbuffer_result_from_error(hl_ErrorCode_GuestError,
                                               "a program has run already; restore the snapshot first");
    }
    if (!parse_request(&call->parameters[0].value.VecBytes, &request)) {
        return hl_flatbuffer_result_from_error(hl_ErrorCode_GuestError, "the request is invalid");
    }
    has_run = true;
    if (!program_run(&request)) {
        return hl_flatbuffer_result_from_error(
            hl_ErrorCode_GuestError, "no program is loaded, or its memory limit is too low for it to start");
    }
    result.exit_code = program.exit_code;
    result.signal = program.signal;
    result.reason = program.reason;
    result.fault_address = program.fault_address;
    list_missing_calls();
    return hl_flatbuffer_result_from_Bytes(
        (const uint8_t *)&result,
        offsetof(struct result, entries) + result.entry_count * sizeof(struct missing_entry));
}

void hyperlight_main(void)
{
    static const hl_ParameterType load_types[] = { hl_ParameterType_ULong, hl_ParameterType_ULong };
    static const hl_ParameterType run_types[] = { hl_ParameterType_VecBytes };

    if (hl_state.peb->heap.address + hl_state.peb->heap.size > PROGRAM_START) {
        hl_abort_with_text(hl_ErrorCode_GuestError, "the heap of the kernel must end below 0x400000");
    }
    processor_init();
    hl_register_function_definition("LoadProgram", load_program, 2, load_types, hl_ReturnType_Void);
    hl_register_function_definition("RunProgram", run_program, 1, run_types, hl_ReturnType_VecBytes);
}
