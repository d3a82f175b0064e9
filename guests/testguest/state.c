// SPDX-License-Identifier: Apache-2.0
//
// What the guest remembers and what the host told it.

#include "testguest.h"

#include "../runtime/cpu.h"
#include "../runtime/layout.h"
#include "../runtime/state.h"

#include <stdlib.h>

static int32_t counter;

static hl_Vec *increment_counter(const hl_FunctionCall *call)
{
    (void)call;
    return hl_flatbuffer_result_from_Int(++counter);
}

static hl_Vec *get_counter(const hl_FunctionCall *call)
{
    (void)call;
    return hl_flatbuffer_result_from_Int(counter);
}

static hl_Vec *get_seed(const hl_FunctionCall *call)
{
    (void)call;
    return hl_flatbuffer_result_from_ULong(hl_seed());
}

static hl_Vec *get_random(const hl_FunctionCall *call)
{
    (void)call;
    return hl_flatbuffer_result_from_Int(rand());
}

static hl_Vec *set_random(const hl_FunctionCall *call)
{
    srand(PARAMETER(0, UInt));
    return hl_flatbuffer_result_from_Void();
}

static hl_Vec *get_page_size(const hl_FunctionCall *call)
{
    (void)call;
    return hl_flatbuffer_result_from_UInt(hl_page_size());
}

static hl_Vec *get_peb(const hl_FunctionCall *call)
{
    (void)call;
    return hl_flatbuffer_result_from_Bytes((const uint8_t *)hl_state.peb, sizeof *hl_state.peb);
}

static hl_Vec *get_init_data(const hl_FunctionCall *call)
{
    (void)call;
    hl_Vec data = hl_init_data();
    return hl_flatbuffer_result_from_Bytes(data.data, data.len);
}

static hl_Vec *get_scratch_info(const hl_FunctionCall *call)
{
    (void)call;
    return hl_flatbuffer_result_from_Bytes(
        (const uint8_t *)(HL_SCRATCH_TOP_GVA - HL_METADATA_SIZE), HL_METADATA_SIZE);
}

static hl_Vec *get_cr(const hl_FunctionCall *call)
{
    switch (PARAMETER(0, Int)) {
    case 0:
        return hl_flatbuffer_result_from_ULong(hl_read_cr0());
    case 2:
        return hl_flatbuffer_result_from_ULong(hl_read_cr2());
    case 3:
        return hl_flatbuffer_result_from_ULong(hl_read_cr3());
    case 4:
        return hl_flatbuffer_result_from_ULong(hl_read_cr4());
    case 8:
        return hl_flatbuffer_result_from_ULong(hl_read_cr8());
    default:
        return hl_flatbuffer_result_from_error(hl_ErrorCode_GuestError,
                                               "there is no such control register");
    }
}

static hl_Vec *get_generation(const hl_FunctionCall *call)
{
    (void)call;
    return hl_flatbuffer_result_from_ULong(*HL_GENERATION_SLOT);
}

static const struct guest_function functions[] = {
    { "IncrementCounter", increment_counter, "" },
    { "GetCounter", get_counter, "" },
    { "GetSeed", get_seed, "" },
    { "Rand", get_random, "" },
    { "Srand", set_random, "u" },
    { "GetPageSize", get_page_size, "" },
    { "GetPeb", get_peb, "" },
    { "GetInitData", get_init_data, "" },
    { "GetScratchInfo", get_scratch_info, "" },
    { "GetCr", get_cr, "i" },
    { "GetGeneration", get_generation, "" },
};

void register_state(void)
{
    REGISTER(functions);
}
