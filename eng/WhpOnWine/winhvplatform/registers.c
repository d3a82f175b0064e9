// WHvGetVirtualProcessorRegisters and WHvSetVirtualProcessorRegisters.
#include "processor.h"
#include "register_names.h"
#include "register_values.h"
#include <string.h>

// The values of registers are aligned, or the call fails.
#define VALUE_ALIGNMENT 16

// The XSAVE header's bits that say x87 and SSE state is not at its initial value.
#define XSTATE_BV 512
#define XSTATE_LEGACY 3

// The whole batch fails if one name is unknown; then nothing is changed.
static HRESULT check(WHV_PARTITION_HANDLE handle, UINT32 index, const WHV_REGISTER_NAME *names, UINT32 count,
    const WHV_REGISTER_VALUE *values, struct register_batch *batch)
{
    struct register_place place;
    UINT32 msr;
    HRESULT result = find_processor(handle, index, &batch->partition);
    if (FAILED(result))
        return result;
    if (atomic_load(&batch->partition->is_running))
        return WHV_E_INVALID_VP_STATE;
    if ((UINT_PTR)values % VALUE_ALIGNMENT)
        return HRESULT_FROM_WIN32(ERROR_NOACCESS);
    for (UINT32 i = 0; i < count; i++)
        if (!find_register(batch, names[i], &place) && !find_msr(names[i], &msr))
            return WHV_E_INVALID_VP_REGISTER_NAME;
    return S_OK;
}

HRESULT WINAPI WHvGetVirtualProcessorRegisters(WHV_PARTITION_HANDLE handle, UINT32 index, const WHV_REGISTER_NAME *names,
    UINT32 count, WHV_REGISTER_VALUE *values)
{
    struct register_batch batch = { .loaded = 0 };
    struct register_place place;
    UINT32 msr;
    HRESULT result = check(handle, index, names, count, values, &batch);
    for (UINT32 i = 0; i < count && SUCCEEDED(result); i++)
    {
        memset(&values[i], 0, sizeof values[i]);
        if (find_register(&batch, names[i], &place))
        {
            result = load_part(&batch, place.part);
            if (SUCCEEDED(result))
                get_value(&batch, &place, &values[i]);
        }
        else if (find_msr(names[i], &msr))
            result = get_msr(batch.partition, msr, &values[i].Reg64);
    }
    return result;
}

HRESULT WINAPI WHvSetVirtualProcessorRegisters(WHV_PARTITION_HANDLE handle, UINT32 index, const WHV_REGISTER_NAME *names,
    UINT32 count, const WHV_REGISTER_VALUE *values)
{
    struct register_batch batch = { .loaded = 0 };
    struct register_place place;
    UINT32 msr;
    HRESULT result = check(handle, index, names, count, values, &batch);
    for (UINT32 i = 0; i < count && SUCCEEDED(result); i++)
        if (find_register(&batch, names[i], &place))
        {
            result = load_part(&batch, place.part);
            if (FAILED(result))
                return result;
            set_value(&batch, &place, &values[i]);
            batch.changed |= place.part;
        }
    if (SUCCEEDED(result) && batch.changed & EXTENDED)
        ((char *)batch.extended.region)[XSTATE_BV] |= XSTATE_LEGACY;
    if (SUCCEEDED(result))
        result = store_parts(&batch);
    for (UINT32 i = 0; i < count && SUCCEEDED(result); i++)
        if (!find_register(&batch, names[i], &place) && find_msr(names[i], &msr))
            result = set_msr(batch.partition, msr, values[i].Reg64);
    return result;
}
