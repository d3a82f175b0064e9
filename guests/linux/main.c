// SPDX-License-Identifier: Apache-2.0
//
// The functions that the host calls: LoadProgram once, then RunProgram, after a
// restore of the snapshot that was taken between the two, and CollectFiles for each
// directory that it wants of what the program has left.

#include "../runtime/abort.h"
#include "../runtime/state.h"
#include "exchange.h"
#include "node.h"
#include "pages.h"
#include "processor.h"
#include "program.h"
#include "random.h"
#include "root_image.h"
#include "system_calls.h"
#include "vectors.h"

#include <hyperlight_guest_ext.h>
#include <string.h>

#define REQUEST_HEADER (8 + RANDOM_SEED_SIZE + 4 + 4 + 4)
#define CALL_NAME_SIZE 24
#define MOST_ENTRIES 400

struct missing_entry {
    uint32_t number;
    uint32_t count;
    char name[CALL_NAME_SIZE];
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
    vectors_confirm();
    // Its page tables count against no limit.
    pages_start(UINT64_MAX);
    const char *problem = image_open(call->parameters[0].value.ULong, call->parameters[1].value.ULong);
    return problem != NULL ? hl_flatbuffer_result_from_error(hl_ErrorCode_GuestError, problem)
                           : hl_flatbuffer_result_from_Void();
}

// Takes a string with its zero from the front. NULL if there is none.
static const char *take_string(const char **strings, size_t *size)
{
    const char *string = *strings;
    size_t length = strnlen(string, *size);
    if (length == *size) {
        return NULL;
    }
    *strings += length + 1;
    *size -= length + 1;
    return string;
}

// Whether exactly as many strings follow as the header says.
static bool check_strings(const struct program_arguments *arguments)
{
    uint64_t count = 0;
    for (size_t i = 0; i < arguments->size; i++) {
        count += arguments->strings[i] == 0;
    }
    return arguments->argument_count != 0 &&
           count == (uint64_t)arguments->argument_count + arguments->environment_count &&
           arguments->strings[arguments->size - 1] == 0;
}

static bool parse_request(const hl_Vec *bytes, struct program_request *request)
{
    if (bytes->len <= REQUEST_HEADER) {
        return false;
    }
    const uint8_t *header = bytes->data;
    struct program_arguments *arguments = &request->arguments;
    memcpy(&request->memory_limit, header, 8);
    request->random = header + 8;
    memcpy(&arguments->argument_count, header + 8 + RANDOM_SEED_SIZE, 4);
    memcpy(&arguments->environment_count, header + 8 + RANDOM_SEED_SIZE + 4, 4);
    memcpy(&request->tick_period, header + 8 + RANDOM_SEED_SIZE + 8, 4);
    arguments->strings = (const char *)header + REQUEST_HEADER;
    arguments->size = bytes->len - REQUEST_HEADER;
    request->path = take_string(&arguments->strings, &arguments->size);
    request->working_directory = request->path != NULL ? take_string(&arguments->strings, &arguments->size) : NULL;
    return request->working_directory != NULL && request->path[0] == '/' && request->working_directory[0] == '/' &&
           strlen(request->path) < PATH_SIZE && strlen(request->working_directory) < PATH_SIZE &&
           arguments->size != 0 && check_strings(arguments);
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

static hl_Vec *collect_files(const hl_FunctionCall *call)
{
    if (root_node() == NULL) {
        return hl_flatbuffer_result_from_error(hl_ErrorCode_GuestError, "no program has run");
    }
    const char *problem = output_files_send(call->parameters[0].value.String);
    return problem != NULL ? hl_flatbuffer_result_from_error(hl_ErrorCode_GuestError, problem)
                           : hl_flatbuffer_result_from_Void();
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
    const char *problem = program_run(&request);
    if (problem != NULL) {
        return hl_flatbuffer_result_from_error(hl_ErrorCode_GuestError, problem);
    }
    result.exit_code = program_end.exit_code;
    result.signal = program_end.signal;
    result.reason = program_end.reason;
    result.fault_address = program_end.fault_address;
    list_missing_calls();
    return hl_flatbuffer_result_from_Bytes(
        (const uint8_t *)&result,
        offsetof(struct result, entries) + result.entry_count * sizeof(struct missing_entry));
}

void hyperlight_main(void)
{
    static const hl_ParameterType load_types[] = { hl_ParameterType_ULong, hl_ParameterType_ULong };
    static const hl_ParameterType run_types[] = { hl_ParameterType_VecBytes };
    static const hl_ParameterType collect_types[] = { hl_ParameterType_String };

    if (hl_state.peb->heap.address + hl_state.peb->heap.size > PROGRAM_START) {
        hl_abort_with_text(hl_ErrorCode_GuestError, "the heap of the kernel must end below 0x400000");
    }
    processor_init();
    vectors_init();
    hl_register_function_definition("LoadProgram", load_program, 2, load_types, hl_ReturnType_Void);
    hl_register_function_definition("RunProgram", run_program, 1, run_types, hl_ReturnType_VecBytes);
    hl_register_function_definition("CollectFiles", collect_files, 1, collect_types, hl_ReturnType_Void);
}
