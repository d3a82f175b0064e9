// SPDX-License-Identifier: Apache-2.0
//
// Tries every model-specific register of a range, also those that are denied.

#include "testguest.h"

#define GENERAL_PROTECTION 13
#define MOST_REGISTERS 512

// EFER: long mode and no-execute pages are what this code runs with.
#define EFER 0xC0000080U
#define EFER_IN_USE 0xD00UL

#define READABLE 1U
#define WRITABLE 2U

struct record {
    uint32_t index;
    uint32_t access;
    uint64_t before;
    uint64_t after;
};

// Each answers whether there was no #GP.
bool try_rdmsr(uint32_t index, uint64_t *value) __attribute__((visibility("hidden")));
bool try_wrmsr(uint32_t index, uint64_t value) __attribute__((visibility("hidden")));
extern const char rdmsr_instruction[] __attribute__((visibility("hidden")));
extern const char wrmsr_instruction[] __attribute__((visibility("hidden")));
extern const char after_general_protection[] __attribute__((visibility("hidden")));

__asm__(".pushsection .text.msrs, \"ax\", @progbits\n"
        ".globl try_rdmsr, try_wrmsr, rdmsr_instruction, wrmsr_instruction, after_general_protection\n"
        "try_rdmsr:\n"
        "\tmov %edi, %ecx\n"
        "rdmsr_instruction:\n"
        "\trdmsr\n"
        "\tmov %eax, (%rsi)\n"
        "\tmov %edx, 4(%rsi)\n"
        "\tmov $1, %eax\n"
        "\tret\n"
        "try_wrmsr:\n"
        "\tmov %edi, %ecx\n"
        "\tmov %esi, %eax\n"
        "\tmov %rsi, %rdx\n"
        "\tshr $32, %rdx\n"
        "wrmsr_instruction:\n"
        "\twrmsr\n"
        "\tmov $1, %eax\n"
        "\tret\n"
        "after_general_protection:\n"
        "\txor %eax, %eax\n"
        "\tret\n"
        ".popsection");

static bool skip_instruction(uint64_t vector, hl_ExceptionInfo *info, hl_ExceptionContext *context, uint64_t address)
{
    (void)vector;
    (void)context;
    (void)address;
    if (info->rip != (uint64_t)rdmsr_instruction && info->rip != (uint64_t)wrmsr_instruction) {
        return false;
    }
    info->rip = (uint64_t)after_general_protection;
    return true;
}

// Inverts all of the bits, or as many as the register takes one by one.
static bool plant(uint32_t index, uint64_t value, bool is_readable, uint64_t bits)
{
    bits &= index == EFER ? ~EFER_IN_USE : ~0UL;
    if (try_wrmsr(index, value ^ bits)) {
        return true;
    }
    bool is_writable = try_wrmsr(index, value);
    for (int i = 0; is_writable && i < 64; i++) {
        if (is_readable) {
            try_rdmsr(index, &value);
        }
        uint64_t planted = value ^ (bits & 1UL << i);
        if (planted != value && try_wrmsr(index, planted)) {
            value = planted;
        }
    }
    return is_writable;
}

// A record for each register that can be read or written. Without bits to invert none is written.
static hl_Vec *sweep_msrs(const hl_FunctionCall *call)
{
    static struct record records[MOST_REGISTERS];
    uint32_t first = PARAMETER(0, UInt);
    uint32_t count = PARAMETER(1, UInt) < MOST_REGISTERS ? PARAMETER(1, UInt) : MOST_REGISTERS;
    uint64_t bits = PARAMETER(2, ULong);
    size_t found = 0;
    hl_ExceptionHandler previous = hl_set_exception_handler(GENERAL_PROTECTION, skip_instruction);
    for (uint32_t i = 0; i < count; i++) {
        struct record record = { first + i, 0, 0, 0 };
        bool is_readable = try_rdmsr(record.index, &record.before);
        bool is_writable = bits != 0 && plant(record.index, record.before, is_readable, bits);
        if (is_readable) {
            try_rdmsr(record.index, &record.after);
        }
        record.access = (is_readable ? READABLE : 0) | (is_writable ? WRITABLE : 0);
        if (record.access != 0) {
            records[found++] = record;
        }
    }
    hl_set_exception_handler(GENERAL_PROTECTION, previous);
    return hl_flatbuffer_result_from_Bytes((const uint8_t *)records, (uint32_t)(found * sizeof records[0]));
}

#define CR4_FSGSBASE (1UL << 16)

// Gives both bases of GS, and leaves another in each, without an access to a model-specific register.
static hl_Vec *swap_gs(const hl_FunctionCall *call)
{
    uint64_t planted = PARAMETER(0, ULong), bases[2], cr4;
    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4 | CR4_FSGSBASE));
    __asm__ volatile("rdgsbase %0\n\t"
                     "wrgsbase %2\n\t"
                     "swapgs\n\t"
                     "rdgsbase %1\n\t"
                     "wrgsbase %2"
                     : "=&r"(bases[0]), "=&r"(bases[1])
                     : "r"(planted));
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4));
    return hl_flatbuffer_result_from_Bytes((const uint8_t *)bases, sizeof bases);
}

static const struct guest_function functions[] = {
    { "SweepMsrs", sweep_msrs, "uuU" },
    { "SwapGs", swap_gs, "U" },
};

void register_msrs(void)
{
    REGISTER(functions);
}
