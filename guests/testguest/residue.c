// SPDX-License-Identifier: Apache-2.0
//
// Plants values wherever a guest can put any, and looks for them: after a
// restore none may be found. What is planted is the complement of what the host
// passes, so that the search itself has no copy of it in memory.

#include "testguest.h"

#include "../runtime/cpu.h"
#include "../runtime/layout.h"
#include "../runtime/state.h"

#include <stdlib.h>

#define CR4_OSXSAVE (1UL << 18)
#define CPUID_XSAVE (1U << 26)

static void fill(uint64_t start, uint64_t end, uint64_t value)
{
    for (volatile uint64_t *word = (volatile uint64_t *)start; word < (volatile uint64_t *)end; word++) {
        *word = value;
    }
}

// Every page of scratch that nothing uses, mapped elsewhere or not: the pages
// that the allocator has left, the rear of both buffers, and what the exception
// stacks have not reached.
static hl_Vec *plant_scratch(const hl_FunctionCall *call)
{
    uint64_t value = ~PARAMETER(0, ULong);
    struct hl_region input = hl_state.peb->input;
    struct hl_region output = hl_state.peb->output;
    fill(input.address + HL_PAGE_SIZE, input.address + input.size, value);
    fill(output.address + HL_PAGE_SIZE, output.address + output.size, value);
    fill((uint64_t)hl_scratch_pointer(*HL_ALLOCATOR_SLOT), HL_EXCEPTION_STACK_TOP - HL_PAGE_SIZE, value);
    return hl_flatbuffer_result_from_Void();
}

// A block that is never freed, and the stack below this function.
static hl_Vec *plant_heap_and_stack(const hl_FunctionCall *call)
{
    uint64_t value = ~PARAMETER(0, ULong);
    size_t size = (size_t)PARAMETER(1, UInt);
    volatile uint8_t *heap = malloc(size);
    fill((uint64_t)heap, (uint64_t)heap + size, value);
    volatile uint8_t *stack = alloca(size);
    for (size_t left = size; left > 0; left -= left < HL_PAGE_SIZE ? left : HL_PAGE_SIZE) {
        stack[left - 1] = 1;
    }
    uint64_t start = ((uint64_t)stack + 7) & ~7UL;
    fill(start, start + size - 8, value);
    return hl_flatbuffer_result_from_ULong((uint64_t)heap);
}

// All that a guest can write is scratch, at whatever address it sees it.
static hl_Vec *count_planted(const hl_FunctionCall *call)
{
    uint64_t value = ~PARAMETER(0, ULong);
    uint64_t found = 0;
    volatile uint64_t *end = (volatile uint64_t *)HL_SCRATCH_TOP_GVA;
    for (volatile uint64_t *word = end - *HL_SCRATCH_SIZE_SLOT / 8; word < end; word++) {
        found += *word == value;
    }
    return hl_flatbuffer_result_from_ULong(found);
}

static hl_Vec *get_fpu(const hl_FunctionCall *call)
{
    (void)call;
    static _Alignas(16) uint8_t image[512];
    for (size_t i = 0; i < sizeof image; i++) {
        image[i] = 0;
    }
    hl_fxsave(image);
    return hl_flatbuffer_result_from_Bytes(image, sizeof image);
}

static hl_Vec *set_fpu(const hl_FunctionCall *call)
{
    static _Alignas(16) uint8_t image[512];
    const uint8_t *source = PARAMETER(0, VecBytes).data;
    for (size_t i = 0; i < sizeof image; i++) {
        image[i] = source[i];
    }
    hl_fxrstor(image);
    return hl_flatbuffer_result_from_Void();
}

static hl_Vec *get_dr(const hl_FunctionCall *call)
{
    uint64_t value = 0;
    switch (PARAMETER(0, Int)) {
    case 0:
        __asm__ volatile("mov %%dr0, %0" : "=r"(value));
        break;
    case 1:
        __asm__ volatile("mov %%dr1, %0" : "=r"(value));
        break;
    case 2:
        __asm__ volatile("mov %%dr2, %0" : "=r"(value));
        break;
    case 3:
        __asm__ volatile("mov %%dr3, %0" : "=r"(value));
        break;
    case 6:
        __asm__ volatile("mov %%dr6, %0" : "=r"(value));
        break;
    default:
        __asm__ volatile("mov %%dr7, %0" : "=r"(value));
        break;
    }
    return hl_flatbuffer_result_from_ULong(value);
}

static hl_Vec *set_dr(const hl_FunctionCall *call)
{
    uint64_t value = PARAMETER(1, ULong);
    switch (PARAMETER(0, Int)) {
    case 0:
        __asm__ volatile("mov %0, %%dr0" : : "r"(value));
        break;
    case 1:
        __asm__ volatile("mov %0, %%dr1" : : "r"(value));
        break;
    case 2:
        __asm__ volatile("mov %0, %%dr2" : : "r"(value));
        break;
    case 3:
        __asm__ volatile("mov %0, %%dr3" : : "r"(value));
        break;
    case 6:
        __asm__ volatile("mov %0, %%dr6" : : "r"(value));
        break;
    default:
        __asm__ volatile("mov %0, %%dr7" : : "r"(value));
        break;
    }
    return hl_flatbuffer_result_from_Void();
}

static hl_Vec *set_cr(const hl_FunctionCall *call)
{
    uint64_t value = PARAMETER(1, ULong);
    switch (PARAMETER(0, Int)) {
    case 0:
        hl_write_cr0(value);
        break;
    case 2:
        __asm__ volatile("mov %0, %%cr2" : : "r"(value));
        break;
    case 4:
        __asm__ volatile("mov %0, %%cr4" : : "r"(value) : "memory");
        break;
    default:
        __asm__ volatile("mov %0, %%cr8" : : "r"(value));
        break;
    }
    return hl_flatbuffer_result_from_Void();
}

static int has_xsave(void)
{
    uint32_t eax = 1, ebx, ecx = 0, edx;
    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    return (ecx & CPUID_XSAVE) != 0;
}

static uint64_t enable_osxsave(void)
{
    uint64_t cr4;
    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4 | CR4_OSXSAVE));
    return cr4;
}

// 0 on a processor without XSAVE.
static hl_Vec *get_xcr0(const hl_FunctionCall *call)
{
    (void)call;
    if (!has_xsave()) {
        return hl_flatbuffer_result_from_ULong(0);
    }
    uint64_t cr4 = enable_osxsave();
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4));
    return hl_flatbuffer_result_from_ULong((uint64_t)high << 32 | low);
}

static hl_Vec *set_xcr0(const hl_FunctionCall *call)
{
    uint64_t value = PARAMETER(0, ULong);
    uint64_t cr4 = enable_osxsave();
    __asm__ volatile("xsetbv" : : "a"((uint32_t)value), "d"((uint32_t)(value >> 32)), "c"(0));
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4));
    return hl_flatbuffer_result_from_Void();
}

// What SIDT, SGDT and the selectors say.
static hl_Vec *get_descriptor_tables(const hl_FunctionCall *call)
{
    (void)call;
    struct __attribute__((packed)) {
        uint8_t idt[10];
        uint8_t gdt[10];
        uint16_t selectors[8];
    } state;
    __asm__ volatile("sidt %0" : "=m"(state.idt));
    __asm__ volatile("sgdt %0" : "=m"(state.gdt));
    __asm__ volatile("mov %%cs, %0" : "=m"(state.selectors[0]));
    __asm__ volatile("mov %%ds, %0" : "=m"(state.selectors[1]));
    __asm__ volatile("mov %%es, %0" : "=m"(state.selectors[2]));
    __asm__ volatile("mov %%fs, %0" : "=m"(state.selectors[3]));
    __asm__ volatile("mov %%gs, %0" : "=m"(state.selectors[4]));
    __asm__ volatile("mov %%ss, %0" : "=m"(state.selectors[5]));
    __asm__ volatile("str %0" : "=m"(state.selectors[6]));
    __asm__ volatile("sldt %0" : "=m"(state.selectors[7]));
    return hl_flatbuffer_result_from_Bytes((const uint8_t *)&state, sizeof state);
}

// Leaves DS, ES, FS and GS null and the descriptor tables empty.
static hl_Vec *drop_descriptor_tables(const hl_FunctionCall *call)
{
    (void)call;
    struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } none = { 0, 0x1234000 };
    __asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%fs; mov %0, %%gs" : : "r"(0));
    __asm__ volatile("lidt %0; lgdt %0" : : "m"(none));
    return hl_flatbuffer_result_from_Void();
}

static const struct guest_function functions[] = {
    { "PlantScratch", plant_scratch, "U" },
    { "PlantHeapAndStack", plant_heap_and_stack, "Uu" },
    { "CountPlanted", count_planted, "U" },
    { "GetFpu", get_fpu, "" },
    { "SetFpu", set_fpu, "B" },
    { "GetDr", get_dr, "i" },
    { "SetDr", set_dr, "iU" },
    { "SetCr", set_cr, "iU" },
    { "GetXcr0", get_xcr0, "" },
    { "SetXcr0", set_xcr0, "U" },
    { "GetDescriptorTables", get_descriptor_tables, "" },
    { "DropDescriptorTables", drop_descriptor_tables, "" },
};

void register_residue(void)
{
    REGISTER(functions);
}
