// SPDX-License-Identifier: Apache-2.0
//
// The functions that the host calls: LoadProgram once, then RunProgram, after a
// restore of the snapshot that was taken between the two. If that returns at the
// checkpoint of the program, the host takes a snapshot, and each run restores it and
// calls ContinueProgram. Then CollectFiles for each directory that the host wants of
// what the program has left.
//
// Runs can be prepared by a trial run: TryProgram from the checkpoint, WorkingSet
// for what it has used, and KeepWorkingSet with that, after a restore of the checkpoint.
// The snapshot after that replaces the one of the checkpoint.

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
#include "working_set.h"

#include <hyperlight_guest_ext.h>
#include <string.h>

// Memory limit, random bytes; number of arguments, of variables, kind of checkpoint,
// number of arguments of the run, of variables of the run, limits of threads and of
// processes, period of the ticks; limit of system calls; the wall clock of a virtual clock.
#define REQUEST_NUMBERS 8
#define REQUEST_HEADER (8 + RANDOM_SEED_SIZE + REQUEST_NUMBERS * 4 + 16)
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
    uint64_t system_calls;
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

static bool skip_strings(const char **strings, size_t *size, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (take_string(strings, size) == NULL) {
            return false;
        }
    }
    return true;
}

// The arguments, of which the last ones are the run's, and the variables, after which
// those of the run follow.
static bool parse_strings(struct program_request *request, const char *strings, size_t size, uint32_t run_variables)
{
    struct program_arguments *arguments = &request->arguments;
    struct run_strings *run = &request->run;
    arguments->strings = strings;
    if (arguments->argument_count == 0 || run->argument_count > arguments->argument_count ||
        !skip_strings(&strings, &size, arguments->argument_count - run->argument_count)) {
        return false;
    }
    run->arguments = strings;
    if (!skip_strings(&strings, &size, run->argument_count)) {
        return false;
    }
    run->arguments_size = (size_t)(strings - run->arguments);
    if (!skip_strings(&strings, &size, arguments->environment_count)) {
        return false;
    }
    arguments->size = (size_t)(strings - arguments->strings);
    run->environment = strings;
    run->environment_size = size;
    return skip_strings(&strings, &size, run_variables) && size == 0;
}

static bool parse_request(const hl_Vec *bytes, struct program_request *request)
{
    if (bytes->len <= REQUEST_HEADER) {
        return false;
    }
    const uint8_t *header = bytes->data;
    const char *strings = (const char *)header + REQUEST_HEADER;
    size_t size = bytes->len - REQUEST_HEADER;
    uint32_t numbers[REQUEST_NUMBERS];
    memcpy(&request->memory_limit, header, 8);
    request->random = header + 8;
    memcpy(numbers, header + 8 + RANDOM_SEED_SIZE, sizeof numbers);
    memcpy(&request->system_calls, header + REQUEST_HEADER - 16, sizeof request->system_calls);
    memcpy(&request->wall_clock, header + REQUEST_HEADER - 8, sizeof request->wall_clock);
    request->arguments.argument_count = numbers[0];
    request->arguments.environment_count = numbers[1];
    request->checkpoint = numbers[2];
    request->run.argument_count = numbers[3];
    request->threads = numbers[5];
    request->processes = numbers[6];
    request->tick_period = numbers[7];
    request->path = take_string(&strings, &size);
    request->working_directory = request->path != NULL ? take_string(&strings, &size) : NULL;
    return numbers[2] < MOST_CHECKPOINT_KINDS && request->working_directory != NULL && request->path[0] == '/' &&
           request->working_directory[0] == '/' && strlen(request->path) < PATH_SIZE &&
           strlen(request->working_directory) < PATH_SIZE && parse_strings(request, strings, size, numbers[4]);
}

static void list_missing_calls(void)
{
    result.entry_count = 0;
    for (uint32_t number = 0; is_call_missing() && number <= SYSTEM_CALL_NUMBERS; number++) {
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
    uint32_t left_out;
    const char *problem = output_files_send(call->parameters[0].value.String, &left_out);
    return problem != NULL ? hl_flatbuffer_result_from_error(hl_ErrorCode_GuestError, problem)
                           : hl_flatbuffer_result_from_UInt(left_out);
}

static hl_Vec *run(const hl_FunctionCall *call, const char *(*function)(const struct program_request *request))
{
    struct program_request request;
    if (!parse_request(&call->parameters[0].value.VecBytes, &request)) {
        return hl_flatbuffer_result_from_error(hl_ErrorCode_GuestError, "the request is invalid");
    }
    has_run = true;
    const char *problem = function(&request);
    if (problem != NULL) {
        return hl_flatbuffer_result_from_error(hl_ErrorCode_GuestError, problem);
    }
    result.exit_code = program_end.exit_code;
    result.signal = program_end.signal;
    result.reason = checkpoint_is_reached() ? END_AT_CHECKPOINT : program_end.reason;
    result.fault_address = program_end.fault_address;
    result.system_calls = system_calls_count();
    list_missing_calls();
    return hl_flatbuffer_result_from_Bytes(
        (const uint8_t *)&result,
        offsetof(struct result, entries) + result.entry_count * sizeof(struct missing_entry));
}

static hl_Vec *run_program(const hl_FunctionCall *call)
{
    if (has_run) {
        return hl_flatbuffer_result_from_error(hl_ErrorCode_GuestError,
                                               "a program has run already; restore the snapshot first");
    }
    return run(call, program_run);
}

static hl_Vec *continue_program(const hl_FunctionCall *call)
{
    return run(call, program_continue);
}

static hl_Vec *try_program(const hl_FunctionCall *call)
{
    return run(call, program_try);
}

static hl_Vec *working_set(const hl_FunctionCall *call)
{
    (void)call;
    size_t size;
    const uint8_t *bytes = working_set_recorded(&size);
    return hl_flatbuffer_result_from_Bytes(bytes, size);
}

static hl_Vec *keep_working_set(const hl_FunctionCall *call)
{
    const hl_Vec *bytes = &call->parameters[0].value.VecBytes;
    if (!checkpoint_is_reached() || !working_set_keep(bytes->data, bytes->len)) {
        return hl_flatbuffer_result_from_error(hl_ErrorCode_GuestError, "the working set is not one of this checkpoint");
    }
    return hl_flatbuffer_result_from_UInt(0);
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
    hl_register_function_definition("ContinueProgram", continue_program, 1, run_types, hl_ReturnType_VecBytes);
    hl_register_function_definition("TryProgram", try_program, 1, run_types, hl_ReturnType_VecBytes);
    hl_register_function_definition("WorkingSet", working_set, 0, NULL, hl_ReturnType_VecBytes);
    hl_register_function_definition("KeepWorkingSet", keep_working_set, 1, run_types, hl_ReturnType_UInt);
    hl_register_function_definition("CollectFiles", collect_files, 1, collect_types, hl_ReturnType_UInt);
}
