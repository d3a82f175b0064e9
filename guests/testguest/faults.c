// SPDX-License-Identifier: Apache-2.0
//
// Processor exceptions, endless loops, and code that changes.

#include "testguest.h"

#include <setjmp.h>

static hl_Vec *divide_by_zero(const hl_FunctionCall *call)
{
    (void)call;
    uint32_t quotient = 1, remainder = 0;
    __asm__ volatile("divl %2" : "+a"(quotient), "+d"(remainder) : "r"(0) : "cc");
    return hl_flatbuffer_result_from_UInt(quotient);
}

static uint64_t read_at(uint64_t address)
{
    uint64_t value;
    __asm__ volatile("mov (%1), %0" : "=r"(value) : "r"(address) : "memory");
    return value;
}

static void write_at(uint64_t address, uint64_t value)
{
    __asm__ volatile("mov %0, (%1)" : : "r"(value), "r"(address) : "memory");
}

static hl_Vec *null_read(const hl_FunctionCall *call)
{
    (void)call;
    return hl_flatbuffer_result_from_ULong(read_at(0));
}

static hl_Vec *null_write(const hl_FunctionCall *call)
{
    (void)call;
    write_at(0, 0);
    return hl_flatbuffer_result_from_Void();
}

static hl_Vec *wild_read(const hl_FunctionCall *call)
{
    return hl_flatbuffer_result_from_ULong(read_at(PARAMETER(0, ULong)));
}

static hl_Vec *wild_write(const hl_FunctionCall *call)
{
    write_at(PARAMETER(0, ULong), 0);
    return hl_flatbuffer_result_from_Void();
}

static hl_Vec *jump_to(const hl_FunctionCall *call)
{
    ((void (*)(void))PARAMETER(0, ULong))();
    return hl_flatbuffer_result_from_Void();
}

__attribute__((noreturn)) static hl_Vec *spin_forever(const hl_FunctionCall *call)
{
    (void)call;
    for (;;) {
        __asm__ volatile("");
    }
}

static hl_Vec *spin_times(const hl_FunctionCall *call)
{
    int64_t count = PARAMETER(0, Long);
    for (int64_t i = 0; i < count; i++) {
        __asm__ volatile("");
    }
    return hl_flatbuffer_result_from_Long(count);
}

static hl_Vec *invalid_opcode(const hl_FunctionCall *call)
{
    (void)call;
    __asm__ volatile("ud2");
    return hl_flatbuffer_result_from_Void();
}

static hl_Vec *breakpoint(const hl_FunctionCall *call)
{
    (void)call;
    __asm__ volatile("int3");
    return hl_flatbuffer_result_from_Void();
}

// An address that is not canonical.
static hl_Vec *general_protection(const hl_FunctionCall *call)
{
    (void)call;
    return hl_flatbuffer_result_from_ULong(read_at(0x8000000000000000UL));
}

// mov $7, %eax; ret. The number is what changes. On a page of its own, so that
// the first write is the one that copies it.
__asm__(".pushsection .text.patched, \"ax\", @progbits\n"
        ".balign 4096\n"
        "patched_code:\n"
        "\tmov $7, %eax\n"
        "\tret\n"
        ".balign 4096\n"
        ".popsection");

extern uint8_t patched_code[] __attribute__((visibility("hidden")));

static hl_Vec *write_to_code(const hl_FunctionCall *call)
{
    (void)call;
    volatile uint8_t *operand = patched_code + 1;
    *operand = 42;
    return hl_flatbuffer_result_from_Int(((int32_t(*)(void))patched_code)());
}

static hl_Vec *jump_to_data(const hl_FunctionCall *call)
{
    (void)call;
    volatile uint8_t code[16] = { 0xC3 };
    ((void (*)(void))code)();
    return hl_flatbuffer_result_from_Void();
}

// No gate for the exception, none for the fault that follows, none for the
// double fault.
static hl_Vec *triple_fault(const hl_FunctionCall *call)
{
    (void)call;
    const struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) empty = { 0, 0 };
    __asm__ volatile("lidt %0; ud2" : : "m"(empty));
    return hl_flatbuffer_result_from_Void();
}

__attribute__((noinline, noreturn)) static void jump_back(unsigned long *environment)
{
    longjmp(environment, 5);
}

static hl_Vec *setjmp_round_trip(const hl_FunctionCall *call)
{
    (void)call;
    jmp_buf environment;
    int value = setjmp(environment);
    if (value == 0) {
        jump_back(environment);
    }
    return hl_flatbuffer_result_from_Int(value);
}

static const struct guest_function functions[] = {
    { "DivideByZero", divide_by_zero, "" },
    { "NullRead", null_read, "" },
    { "NullWrite", null_write, "" },
    { "WildRead", wild_read, "U" },
    { "WildWrite", wild_write, "U" },
    { "JumpTo", jump_to, "U" },
    { "SpinForever", spin_forever, "" },
    { "SpinTimes", spin_times, "l" },
    { "InvalidOpcode", invalid_opcode, "" },
    { "Breakpoint", breakpoint, "" },
    { "GeneralProtection", general_protection, "" },
    { "WriteToCode", write_to_code, "" },
    { "JumpToData", jump_to_data, "" },
    { "TripleFault", triple_fault, "" },
    { "SetJmpRoundTrip", setjmp_round_trip, "" },
};

void register_faults(void)
{
    REGISTER(functions);
}
