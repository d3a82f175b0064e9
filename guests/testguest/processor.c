// SPDX-License-Identifier: Apache-2.0
//
// Model-specific registers, and the sources of time and random numbers.

#include "testguest.h"

#include <stdlib.h>

static hl_Vec *read_msr(const hl_FunctionCall *call)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(PARAMETER(0, UInt)));
    return hl_flatbuffer_result_from_ULong((uint64_t)high << 32 | low);
}

static hl_Vec *write_msr(const hl_FunctionCall *call)
{
    uint64_t value = PARAMETER(1, ULong);
    __asm__ volatile("wrmsr"
                     :
                     : "c"(PARAMETER(0, UInt)), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
    return hl_flatbuffer_result_from_Void();
}

// Reads each source again and again: the time-stamp counter by both instructions
// and as a register, the processor's random numbers, and those of the runtime.
static hl_Vec *read_sources(const hl_FunctionCall *call)
{
    enum { SOURCES = 6 };
    size_t count = PARAMETER(0, UInt);
    uint64_t *samples = malloc(count * SOURCES * sizeof *samples);

    for (size_t i = 0; i < count; i++) {
        uint64_t *sample = samples + i * SOURCES;
        uint32_t low, high, aux;
        __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
        sample[0] = (uint64_t)high << 32 | low;
        __asm__ volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(aux));
        sample[1] = (uint64_t)high << 32 | low;
        __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(0x10));
        sample[2] = (uint64_t)high << 32 | low;
        __asm__ volatile("1: rdrand %0\n\tjnc 1b" : "=r"(sample[3]) : : "cc");
        __asm__ volatile("1: rdseed %0\n\tjnc 1b" : "=r"(sample[4]) : : "cc");
        sample[5] = (uint64_t)rand();
    }
    hl_Vec *result = hl_flatbuffer_result_from_Bytes((const uint8_t *)samples,
                                                     count * SOURCES * sizeof *samples);
    free(samples);
    return result;
}

static const struct guest_function functions[] = {
    { "ReadMsr", read_msr, "u" },
    { "WriteMsr", write_msr, "uU" },
    { "ReadSources", read_sources, "u" },
};

void register_processor(void)
{
    REGISTER(functions);
}
