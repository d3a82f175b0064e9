// SPDX-License-Identifier: Apache-2.0

#include "program.h"

#include "areas.h"
#include "errors.h"
#include "image.h"
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

static bool start(const struct program_request *request)
{
    memset(&program, 0, sizeof program);
    memset(&program_registers, 0, sizeof program_registers);
    program.open_descriptors = 7;
    pages_start(request->memory_limit / PAGE_SIZE);
    areas_clear();
    random_seed(request->random);

    struct loaded_image image;
    if (!image_map(&image)) {
        return false;
    }
    program.break_start = program.break_end = image.end;
    program_registers.rip = image.entry;
    program_registers.rflags = INITIAL_RFLAGS;
    processor_reset_vectors();
    return stack_build(request, &image, &program_registers.rsp);
}

bool program_run(const struct program_request *request)
{
    if (!start(request)) {
        return false;
    }
    while (can_continue()) {
        handle(enter_program());
    }
    return true;
}
