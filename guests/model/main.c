// SPDX-License-Identifier: Apache-2.0
//
// Works on a file that the host mapped, for example a model: nothing of it is
// copied into the guest.

#include <hyperlight_guest_ext.h>

#define FNV_OFFSET 0xCBF29CE484222325UL
#define FNV_PRIME 0x100000001B3UL

static hl_Vec *not_found(void)
{
    return hl_flatbuffer_result_from_error(hl_ErrorCode_GuestError, "no file is mapped under that label");
}

static hl_Vec *size_of_model(const hl_FunctionCall *call)
{
    const hl_FileMapping *model = hl_find_file_mapping(call->parameters[0].value.String);
    return model == NULL ? not_found() : hl_flatbuffer_result_from_ULong(model->size);
}

// FNV-1a over 64-bit words; the end of the last page counts as zeros.
static hl_Vec *checksum(const hl_FunctionCall *call)
{
    const hl_FileMapping *model = hl_find_file_mapping(call->parameters[0].value.String);
    if (model == NULL) {
        return not_found();
    }
    const uint64_t *words = hl_map_physical(model->physical_address, model->size);
    uint64_t hash = FNV_OFFSET;
    for (uint64_t i = 0; i < model->size / sizeof *words; i++) {
        hash = (hash ^ words[i]) * FNV_PRIME;
    }
    return hl_flatbuffer_result_from_ULong(hash);
}

void hyperlight_main(void)
{
    static const hl_ParameterType label[] = { hl_ParameterType_String };
    hl_register_function_definition("SizeOfModel", size_of_model, 1, label, hl_ReturnType_ULong);
    hl_register_function_definition("Checksum", checksum, 1, label, hl_ReturnType_ULong);
}
