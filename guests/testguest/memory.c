// SPDX-License-Identifier: Apache-2.0
//
// Stack and heap.

#include "testguest.h"

#include <stdlib.h>
#include <string.h>

#define PAGE 4096

__attribute__((noinline)) static int recurse(volatile char *caller)
{
    volatile char frame[1024];
    frame[0] = caller[0];
    if (frame[0] == 0) {
        return 0;
    }
    // The result is used after the call, so that the call stays one.
    return recurse(frame) + frame[0];
}

static hl_Vec *stack_overflow(const hl_FunctionCall *call)
{
    (void)call;
    volatile char start[1] = { 1 };
    return hl_flatbuffer_result_from_Int(recurse(start));
}

static hl_Vec *use_stack(const hl_FunctionCall *call)
{
    size_t size = (size_t)PARAMETER(0, UInt) * 1024;
    volatile char *space = alloca(size + 1);
    // From the top down, as a stack grows.
    for (size_t left = size; left > 0; left -= left < PAGE ? left : PAGE) {
        space[left - 1] = 1;
    }
    space[0] = 1;
    return hl_flatbuffer_result_from_Int(PARAMETER(0, Int));
}

__attribute__((noreturn)) static hl_Vec *exhaust_heap(const hl_FunctionCall *call)
{
    (void)call;
    for (;;) {
        volatile char *block = malloc(1024);
        block[0] = 1;
    }
}

static hl_Vec *allocate_heap(const hl_FunctionCall *call)
{
    int32_t size = PARAMETER(0, Int);
    return hl_flatbuffer_result_from_ULong(size > 0 ? (uint64_t)malloc((size_t)size) : 0);
}

static hl_Vec *free_heap(const hl_FunctionCall *call)
{
    free((void *)PARAMETER(0, ULong));
    return hl_flatbuffer_result_from_Void();
}

// Allocates, fills, grows and frees blocks of different sizes in an order that
// leaves holes; returns how many still held what was written to them.
static hl_Vec *heap_cycle(const hl_FunctionCall *call)
{
    enum { LIVE = 8 };
    int32_t count = PARAMETER(0, Int);
    uint32_t size = PARAMETER(1, UInt);
    uint8_t *blocks[LIVE] = { NULL };
    size_t sizes[LIVE] = { 0 };
    int32_t intact = 0;

    for (int32_t i = 0; i < count; i++) {
        int slot = i * 5 % LIVE;
        size_t length = size + (uint32_t)slot * 8 + 1;
        if (blocks[slot] != NULL) {
            uint8_t mark = (uint8_t)(i - LIVE);
            intact += blocks[slot][0] == mark && blocks[slot][sizes[slot] - 1] == mark;
            blocks[slot] = i % 3 == 0 ? realloc(blocks[slot], length + 64)
                                      : (free(blocks[slot]), malloc(length));
        } else {
            blocks[slot] = malloc(length);
        }
        sizes[slot] = length;
        blocks[slot][0] = (uint8_t)i;
        blocks[slot][length - 1] = (uint8_t)i;
    }
    for (int slot = 0; slot < LIVE; slot++) {
        intact += blocks[slot] != NULL && blocks[slot][0] == blocks[slot][sizes[slot] - 1];
        free(blocks[slot]);
    }
    return hl_flatbuffer_result_from_Int(intact);
}

// mov $42, %eax; ret.
static hl_Vec *run_on_heap(const hl_FunctionCall *call)
{
    (void)call;
    static const uint8_t code[] = { 0xB8, 42, 0, 0, 0, 0xC3 };
    uint8_t *block = malloc(sizeof code);
    memcpy(block, code, sizeof code);
    int32_t result = ((int32_t(*)(void))block)();
    free(block);
    return hl_flatbuffer_result_from_Int(result);
}

static const struct guest_function functions[] = {
    { "StackOverflow", stack_overflow, "" },
    { "UseStack", use_stack, "i" },
    { "ExhaustHeap", exhaust_heap, "" },
    { "AllocateHeap", allocate_heap, "i" },
    { "FreeHeap", free_heap, "U" },
    { "HeapCycle", heap_cycle, "ii" },
    { "RunOnHeap", run_on_heap, "" },
};

void register_memory(void)
{
    REGISTER(functions);
}
