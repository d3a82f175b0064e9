// SPDX-License-Identifier: Apache-2.0

#include "vectors.h"

#include "../runtime/cpu.h"
#include "pages.h"
#include "processor.h"
#include "registers.h"

#include <string.h>

#define CR4_OSXSAVE (1UL << 18)
#define LEAF_FEATURES 1
#define LEAF_COMPONENTS 0xD
#define FEATURE_XSAVE (1U << 26)

// x87 and SSE, AVX, AVX-512. Others have registers that the kernel does not know.
#define BASE_COMPONENTS 0x3UL
#define AVX_COMPONENT 0x4UL
#define AVX512_COMPONENTS 0xE0UL

#define FXSAVE_SIZE 512
#define HEADER_SIZE 64
#define MXCSR_OFFSET 24
#define MXCSR_MASK_OFFSET 28
#define DEFAULT_MXCSR_MASK 0xFFBFU
#define INITIAL_FCW 0x037F
#define INITIAL_MXCSR 0x1F80

// The page of has_privileged_system_calls with its tables.
#define PROBE_PAGES 8

static struct {
    uint64_t components;
    size_t size;
    uint32_t mxcsr_mask;
} vectors = { .size = FXSAVE_SIZE };

struct header {
    uint64_t present;
    uint64_t layout;
    uint64_t reserved[6];
};

_Static_assert(sizeof(struct header) == HEADER_SIZE, "of the processor");

static void set_xcr0(uint64_t value)
{
    __asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

// KVM hosts without hardware virtualization execute the kernel by an emulator that
// does not know XSAVE. They are those on which SYSCALL does not change the CPL: a
// page of the program that contains nothing else tells.
static bool has_privileged_system_calls(void)
{
    uint8_t *code;
    pages_start(PROBE_PAGES);
    if (!page_map_new(PROGRAM_START, PAGE_READ | PAGE_EXECUTE, &code)) {
        return false;
    }
    code[0] = 0x0F;
    code[1] = 0x05;
    memset(&program_registers, 0, sizeof program_registers);
    program_registers.rip = PROGRAM_START;
    program_registers.rflags = INITIAL_RFLAGS;
    bool result = enter_program() == TRAP_SYSTEM_CALL;
    pages_unmap(PROGRAM_START, PROGRAM_START + PAGE_SIZE);
    return result;
}

static void enable_components(void)
{
    struct cpuid known = processor_cpuid(LEAF_COMPONENTS, 0);
    uint64_t components = known.eax & (BASE_COMPONENTS | AVX_COMPONENT);
    if (components & AVX_COMPONENT && (known.eax & AVX512_COMPONENTS) == AVX512_COMPONENTS) {
        components |= AVX512_COMPONENTS;
    }
    __asm__ volatile("mov %0, %%cr4" : : "r"(hl_read_cr4() | CR4_OSXSAVE) : "memory");
    set_xcr0(components);
    // The size for what XCR0 has.
    uint64_t size = processor_cpuid(LEAF_COMPONENTS, 0).ebx;
    if (size > VECTORS_MOST_SIZE) {
        components = BASE_COMPONENTS;
        size = FXSAVE_SIZE + HEADER_SIZE;
        set_xcr0(components);
    }
    vectors.components = components;
    vectors.size = size;
}

static void find_mxcsr_mask(void)
{
    static uint8_t image[FXSAVE_SIZE] __attribute__((aligned(16)));
    hl_fxsave(image);
    memcpy(&vectors.mxcsr_mask, image + MXCSR_MASK_OFFSET, sizeof vectors.mxcsr_mask);
    if (vectors.mxcsr_mask == 0) {
        vectors.mxcsr_mask = DEFAULT_MXCSR_MASK;
    }
}

void vectors_init(void)
{
    find_mxcsr_mask();
    if (processor_cpuid(LEAF_FEATURES, 0).ecx & FEATURE_XSAVE && has_privileged_system_calls()) {
        enable_components();
    }
}

static uint64_t get_xcr0(void)
{
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low | (uint64_t)high << 32;
}

void vectors_confirm(void)
{
    if (vectors.components != 0 && get_xcr0() != vectors.components) {
        vectors.components = 0;
        vectors.size = FXSAVE_SIZE;
        // Programs do not use it either: dynamic linkers save arguments by XSAVE.
        __asm__ volatile("mov %0, %%cr4" : : "r"(hl_read_cr4() & ~CR4_OSXSAVE) : "memory");
    }
}

size_t vectors_size(void)
{
    return vectors.size;
}

uint64_t vectors_components(void)
{
    return vectors.components;
}

void vectors_save(void *image)
{
    if (vectors.components == 0) {
        hl_fxsave(image);
        return;
    }
    // XSAVE writes only the first of these words.
    memset((uint8_t *)image + FXSAVE_SIZE, 0, HEADER_SIZE);
    __asm__ volatile("xsave64 (%0)" : : "r"(image), "a"((uint32_t)vectors.components),
                     "d"((uint32_t)(vectors.components >> 32)) : "memory");
}

void vectors_load(const void *image)
{
    if (vectors.components == 0) {
        hl_fxrstor(image);
        return;
    }
    __asm__ volatile("xrstor64 (%0)" : : "r"(image), "a"((uint32_t)vectors.components),
                     "d"((uint32_t)(vectors.components >> 32)) : "memory");
}

void vectors_reset(void)
{
    static uint8_t image[VECTORS_MOST_SIZE] __attribute__((aligned(VECTORS_ALIGNMENT)));
    *(uint16_t *)image = INITIAL_FCW;
    *(uint32_t *)(image + MXCSR_OFFSET) = INITIAL_MXCSR;
    vectors_load(image);
}

bool vectors_check(void *image)
{
    uint32_t mxcsr;
    memcpy(&mxcsr, (uint8_t *)image + MXCSR_OFFSET, sizeof mxcsr);
    if (mxcsr & ~vectors.mxcsr_mask) {
        return false;
    }
    if (vectors.components == 0) {
        return true;
    }
    struct header *header = (struct header *)((uint8_t *)image + FXSAVE_SIZE);
    uint64_t reserved = header->layout;
    for (unsigned i = 0; i < 6; i++) {
        reserved |= header->reserved[i];
    }
    header->present &= vectors.components;
    return reserved == 0;
}
