// SPDX-License-Identifier: Apache-2.0

#include "faults.h"

#include "area_faults.h"
#include "checkpoint.h"
#include "errors.h"
#include "pages.h"
#include "program.h"
#include "signals.h"
#include "threads.h"
#include "user.h"

enum {
    VECTOR_DIVIDE = 0,
    VECTOR_DEBUG = 1,
    VECTOR_BREAKPOINT = 3,
    VECTOR_INVALID_OPCODE = 6,
    VECTOR_SEGMENT_NOT_PRESENT = 11,
    VECTOR_STACK = 12,
    VECTOR_PROTECTION = 13,
    VECTOR_PAGE_FAULT = 14,
    VECTOR_X87 = 16,
    VECTOR_ALIGNMENT = 17,
    VECTOR_SIMD = 19,
};

enum { FAULT_PRESENT = 1, FAULT_WRITE = 2, FAULT_FETCH = 16 };

enum { ILL_ILLOPN = 2, FPE_INTDIV = 1, FPE_FLTDIV = 3, FPE_FLTOVF = 4, FPE_FLTUND = 5, FPE_FLTRES = 6,
       FPE_FLTINV = 7, SEGV_MAPERR = 1, SEGV_ACCERR = 2, BUS_ADRALN = 1, BUS_ADRERR = 2, TRAP_TRACE = 2 };

// `reported` is the address in the result of the program, if the signal ends it.
static void raise(uint32_t signal, int32_t code, uint64_t address, uint64_t reported)
{
    program_end.fault_address = reported;
    signal_force(&(struct signal_info){ .signal = signal, .code = code, .words = { address } });
}

// The first exception that is not masked. The flags of x87 and of SSE are alike.
static int32_t code_of_floating_point(uint32_t flags)
{
    static const int32_t codes[] = { FPE_FLTINV, FPE_FLTUND, FPE_FLTDIV, FPE_FLTOVF, FPE_FLTUND, FPE_FLTRES };
    static const uint8_t order[] = { 0, 2, 3, 1, 4, 5 };
    for (unsigned i = 0; i < sizeof order; i++) {
        if (flags & 1U << order[i]) {
            return codes[order[i]];
        }
    }
    return 0;
}

// The program's state in the form of FXSAVE. Hosts without hardware virtualization execute this instruction at CPL 0, but not STMXCSR.
static const uint8_t *floating_point_state(void)
{
    static uint8_t image[512] __attribute__((aligned(16)));
    __asm__ volatile("fxsave64 (%0)" : : "r"(image) : "memory");
    return image;
}

static int32_t code_of_simd(void)
{
    const uint8_t *mxcsr = floating_point_state() + 24;
    uint32_t masks = (uint32_t)mxcsr[0] >> 7 | (uint32_t)mxcsr[1] << 1;
    return code_of_floating_point(mxcsr[0] & ~masks & 0x3F);
}

static int32_t code_of_x87(void)
{
    const uint8_t *image = floating_point_state();
    return code_of_floating_point((uint32_t)(image[2] & ~image[0]) & 0x3F);
}

// A program may not call the kernel's interrupt handlers: INT n is a general protection exception. Hosts without hardware virtualization
// make an invalid opcode of it.
static void handle_invalid_opcode(uint64_t rip)
{
    enum { INT_N = 0xCD, INTERRUPT_GATE = 2 };
    uint8_t code[2];
    if (copy_from_user(code, rip, sizeof code) && code[0] == INT_N) {
        current_thread->trap = VECTOR_PROTECTION;
        current_thread->error_code = (uint64_t)code[1] << 3 | INTERRUPT_GATE;
        raise(SIGSEGV, SI_KERNEL, 0, rip);
        return;
    }
    raise(SIGILL, ILL_ILLOPN, rip, rip);
}

static void handle_page_fault(void)
{
    uint64_t address = program_registers.fault_address;
    uint64_t code = program_registers.error_code;
    unsigned access = code & FAULT_FETCH ? PAGE_EXECUTE : code & FAULT_WRITE ? PAGE_WRITE : PAGE_READ;
    enum fault_result result = area_fault_of_program(address, access, (code & FAULT_PRESENT) != 0);
    if (result == FAULT_RESOLVED) {
        return;
    }
    if (result == FAULT_BEYOND_END) {
        current_thread->fault_address = address;
        raise(SIGBUS, BUS_ADRERR, address, address);
        return;
    }
    if (result == FAULT_NO_MEMORY) {
        program_kill(SIGKILL, END_BY_MEMORY_LIMIT);
        return;
    }
    // As Linux: the addresses of the kernel have pages, and those below the program have none.
    struct thread *thread = current_thread;
    thread->fault_address = address;
    if (address >= PROGRAM_END) {
        thread->error_code = code | FAULT_PRESENT;
    } else if (address < PROGRAM_START) {
        thread->error_code = code & ~(uint64_t)FAULT_PRESENT;
    }
    raise(SIGSEGV, result == FAULT_NOT_MAPPED ? SEGV_MAPERR : SEGV_ACCERR, address, address);
}

void handle_exception(uint32_t vector)
{
    uint64_t rip = program_registers.rip;
    current_thread->trap = vector;
    current_thread->error_code = program_registers.error_code;
    switch (vector) {
    case VECTOR_PAGE_FAULT:
        handle_page_fault();
        return;
    case VECTOR_DIVIDE:
        raise(SIGFPE, FPE_INTDIV, rip, rip);
        return;
    case VECTOR_X87:
        raise(SIGFPE, code_of_x87(), rip, rip);
        return;
    case VECTOR_SIMD:
        raise(SIGFPE, code_of_simd(), rip, rip);
        return;
    case VECTOR_DEBUG:
        raise(SIGTRAP, TRAP_TRACE, rip, rip);
        return;
    case VECTOR_BREAKPOINT:
        if (checkpoint_take_breakpoint()) {
            return;
        }
        raise(SIGTRAP, SI_KERNEL, 0, rip);
        return;
    case VECTOR_INVALID_OPCODE:
        handle_invalid_opcode(rip);
        return;
    case VECTOR_ALIGNMENT:
        raise(SIGBUS, BUS_ADRALN, 0, rip);
        return;
    case VECTOR_SEGMENT_NOT_PRESENT:
    case VECTOR_STACK:
        raise(SIGBUS, SI_KERNEL, 0, rip);
        return;
    default:
        raise(SIGSEGV, SI_KERNEL, 0, rip);
    }
}

void fault_at_instruction(void)
{
    current_thread->trap = VECTOR_PROTECTION;
    current_thread->error_code = 0;
    raise(SIGSEGV, SI_KERNEL, 0, program_registers.rip);
}
