// SPDX-License-Identifier: Apache-2.0

#include "program.h"

#include "areas.h"
#include "errors.h"
#include "exchange.h"
#include "executable.h"
#include "file_context.h"
#include "file_system.h"
#include "files.h"
#include "processor.h"
#include "random.h"
#include "registers.h"
#include "signals.h"
#include "stack.h"
#include "system_calls.h"

#include <string.h>

#define INITIAL_RFLAGS 0x202UL
// What a program can change of RFLAGS: the arithmetic flags, TF, DF, NT, RF, AC, ID.
#define PROGRAM_RFLAGS 0x254DD5UL

enum {
    VECTOR_DEBUG = 1,
    VECTOR_BREAKPOINT = 3,
    VECTOR_INVALID_OPCODE = 6,
    VECTOR_SEGMENT_NOT_PRESENT = 11,
    VECTOR_STACK = 12,
    VECTOR_PAGE_FAULT = 14,
    VECTOR_X87 = 16,
    VECTOR_ALIGNMENT = 17,
    VECTOR_SIMD = 19,
};

enum { FAULT_WRITE = 2, FAULT_FETCH = 16 };

struct registers program_registers;
struct program program;

void program_exit(uint32_t code)
{
    if (!program.is_ended) {
        program.is_ended = true;
        program.exit_code = code & 0xFF;
    }
}

void program_kill(uint32_t signal, enum end_reason reason)
{
    if (!program.is_ended) {
        program.is_ended = true;
        program.signal = signal;
        program.reason = reason;
    }
}

static uint32_t signal_of(uint32_t vector)
{
    switch (vector) {
    case 0:
    case VECTOR_X87:
    case VECTOR_SIMD:
        return SIGFPE;
    case VECTOR_DEBUG:
    case VECTOR_BREAKPOINT:
        return SIGTRAP;
    case VECTOR_INVALID_OPCODE:
        return SIGILL;
    case VECTOR_SEGMENT_NOT_PRESENT:
    case VECTOR_STACK:
    case VECTOR_ALIGNMENT:
        return SIGBUS;
    default:
        return SIGSEGV;
    }
}

static void handle_system_call(void)
{
    struct registers *registers = &program_registers;
    const uint64_t arguments[6] = {
        registers->rdi, registers->rsi, registers->rdx,
        registers->r10, registers->r8, registers->r9,
    };
    registers->rax = (uint64_t)system_call(registers->rax, arguments);
    signals_deliver();
}

// Some KVM hosts execute SYSCALL without a change of CPL: the fetch at its entry
// is a page fault of the program then.
static bool is_unprivileged_system_call(void)
{
    return program_registers.fault_address == (uint64_t)system_call_entry &&
           program_registers.rip == (uint64_t)system_call_entry;
}

static void handle_page_fault(void)
{
    if (is_unprivileged_system_call()) {
        program_registers.rip = program_registers.rcx;
        program_registers.rflags = program_registers.r11;
        handle_system_call();
        return;
    }
    unsigned access = program_registers.error_code & FAULT_FETCH   ? PAGE_EXECUTE
                      : program_registers.error_code & FAULT_WRITE ? PAGE_WRITE
                                                                   : PAGE_READ;
    uint8_t *contents;
    switch (area_fault(program_registers.fault_address, access, &contents)) {
    case FAULT_RESOLVED:
        return;
    case FAULT_NO_MEMORY:
        program_kill(SIGKILL, END_BY_MEMORY_LIMIT);
        return;
    case FAULT_BEYOND_END:
        program.fault_address = program_registers.fault_address;
        program_kill(SIGBUS, END_BY_PROGRAM);
        return;
    default:
        program.fault_address = program_registers.fault_address;
        program_kill(SIGSEGV, END_BY_PROGRAM);
    }
}

static void handle(uint32_t trap)
{
    if (trap == TRAP_SYSTEM_CALL) {
        handle_system_call();
    } else if (trap == VECTOR_PAGE_FAULT) {
        handle_page_fault();
    } else {
        program.fault_address = program_registers.rip;
        program_kill(signal_of(trap), END_BY_PROGRAM);
    }
}

// IRETQ with an address that is not the program's would fault in the kernel, or
// continue in it.
static bool can_continue(void)
{
    program_registers.rflags = (program_registers.rflags & PROGRAM_RFLAGS) | INITIAL_RFLAGS;
    if (program_registers.rip >= PROGRAM_END) {
        program.fault_address = program_registers.rip;
        program_kill(SIGSEGV, END_BY_PROGRAM);
    }
    return !program.is_ended;
}

static const char no_memory[] = "its memory limit is too low for it to start";

// What does not depend on the program.
static const char *start_files(const char *working_directory)
{
    struct lookup lookup;
    files_start();
    file_contexts_start();
    if (!file_system_start()) {
        return "no image is loaded, or its memory limit is too low for it to start";
    }
    program.files = files_create();
    program.file_context = file_context_create(root_node());
    if (program.files == NULL || program.file_context == NULL) {
        return no_memory;
    }
    const char *problem = input_files_receive();
    if (problem != NULL) {
        return problem;
    }
    if (path_lookup_text(root_node(), working_directory, LOOKUP_FOLLOW, &lookup) != 0 || lookup.node == NULL ||
        !node_is_directory(lookup.node)) {
        return "its working directory does not exist";
    }
    file_context_change_directory(program.file_context, lookup.node);
    return NULL;
}

static const char *start(const struct program_request *request)
{
    static struct executable executable;
    struct loaded_image image;
    const char *problem;
    memset(&program, 0, sizeof program);
    memset(&program_registers, 0, sizeof program_registers);
    pages_start(request->memory_limit / PAGE_SIZE);
    areas_start();
    random_seed(request->random);

    problem = start_files(request->working_directory);
    if (problem != NULL || executable_open(request->path, &executable, &problem) != 0) {
        return problem;
    }
    if (!stack_place() || !executable_map(&executable, &image) ||
        !stack_build(&request->arguments, &executable, &image, &program_registers.rsp)) {
        return no_memory;
    }
    program.executable = executable.node;
    node_retain(program.executable);
    strcpy(program.executable_path, executable.path);
    executable_close(&executable);
    program.break_start = program.break_end = image.end;
    program_registers.rip = image.start;
    program_registers.rflags = INITIAL_RFLAGS;
    processor_reset_vectors();
    return NULL;
}

const char *program_run(const struct program_request *request)
{
    const char *problem = start(request);
    if (problem != NULL) {
        return problem;
    }
    while (can_continue()) {
        handle(enter_program());
    }
    return NULL;
}
