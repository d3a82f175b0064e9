// SPDX-License-Identifier: Apache-2.0
//
// Runs the workloads of a benchmark, and says where they are, so that the host
// can run them too.

#include "programs/programs.h"
#include "workloads.h"

#include <hyperlight_guest_ext.h>

static uint64_t run(uint64_t which, uint64_t rounds)
{
    return run_workload(which, rounds);
}

static uint64_t address(void)
{
    return (uint64_t)(uintptr_t)run_workload;
}

static uint64_t program(uint64_t which, uint64_t rounds)
{
    return run_program(which, rounds);
}

static uint64_t program_address(void)
{
    return (uint64_t)(uintptr_t)run_program;
}

HYPERLIGHT_WRAP_FUNCTION(run, ULong, 2, ULong, ULong)
HYPERLIGHT_WRAP_FUNCTION(address, ULong, 0)
HYPERLIGHT_WRAP_FUNCTION(program, ULong, 2, ULong, ULong)
HYPERLIGHT_WRAP_FUNCTION(program_address, ULong, 0)

void hyperlight_main(void)
{
    HYPERLIGHT_REGISTER_FUNCTION("RunWorkload", run);
    HYPERLIGHT_REGISTER_FUNCTION("WorkloadAddress", address);
    HYPERLIGHT_REGISTER_FUNCTION("RunProgram", program);
    HYPERLIGHT_REGISTER_FUNCTION("ProgramAddress", program_address);
}
