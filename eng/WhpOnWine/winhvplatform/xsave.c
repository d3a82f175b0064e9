// WHvGetVirtualProcessorXsaveState and WHvSetVirtualProcessorXsaveState: the compacted form of XSAVEC. KVM has the standard form.
#include "partition.h"
#include <cpuid.h>
#include <stdlib.h>
#include <string.h>

#define LEGACY 512
#define XSTATE_BV 512
#define XCOMP_BV 520
#define FIRST_COMPONENT 576
#define COMPACTED (1ull << 63)
#define XSAVE_LEAF 0xD
#define ALIGNED 2 // ECX of a component's leaf

// A component's place in the standard form, and where the next one of the compacted form ends.
static UINT32 component(int number, UINT32 *standard, UINT32 *compacted)
{
    UINT32 size, flags, unused;
    __cpuid_count(XSAVE_LEAF, number, size, *standard, flags, unused);
    if (flags & ALIGNED)
        *compacted = (*compacted + 63) & ~63u;
    return size;
}

// The user components that KVM has; the area of KVM_GET_XSAVE has room for them.
static UINT64 components(UINT32 *size)
{
    UINT32 low, unused, high, standard;
    __cpuid_count(XSAVE_LEAF, 0, low, unused, unused, high);
    UINT64 mask = ((UINT64)high << 32 | low) & ~(3ull << 17); // no AMX, which needs the kernel's leave
    *size = FIRST_COMPONENT;
    for (int i = 2; i < 63; i++)
        if (mask >> i & 1)
        {
            UINT32 length = component(i, &standard, size);
            if (standard + length > sizeof(struct kvm_xsave))
                mask &= ~(1ull << i);
            else
                *size += length;
        }
    return mask;
}

HRESULT WINAPI WHvGetVirtualProcessorXsaveState(
    WHV_PARTITION_HANDLE handle, UINT32 index, void *buffer, UINT32 size, UINT32 *written)
{
    struct partition *partition;
    HRESULT result = find_processor(handle, index, &partition);
    if (FAILED(result))
        return result;
    UINT32 needed, standard, place = FIRST_COMPONENT;
    UINT64 mask = components(&needed);
    if (written)
        *written = needed;
    if (size < needed)
        return WHV_E_INSUFFICIENT_BUFFER;
    struct kvm_xsave state;
    int got = kvm(partition->vcpu, KVM_GET_XSAVE, &state);
    if (got < 0)
        return from_errno(-got);
    const char *image = (const char *)state.region;
    char *target = buffer;
    UINT64 format = COMPACTED | mask;
    memset(target, 0, needed);
    memcpy(target, image, XCOMP_BV);
    memcpy(target + XCOMP_BV, &format, sizeof format);
    for (int i = 2; i < 63; i++)
        if (mask >> i & 1)
        {
            UINT32 length = component(i, &standard, &place);
            memcpy(target + place, image + standard, length);
            place += length;
        }
    return S_OK;
}

HRESULT WINAPI WHvSetVirtualProcessorXsaveState(WHV_PARTITION_HANDLE handle, UINT32 index, const void *buffer, UINT32 size)
{
    struct partition *partition;
    HRESULT result = find_processor(handle, index, &partition);
    if (FAILED(result))
        return result;
    UINT32 needed, standard, place = FIRST_COMPONENT;
    UINT64 mask = components(&needed), present, format;
    const char *source = buffer;
    if (size < FIRST_COMPONENT)
        return HV_E_INVALID_PARAMETER;
    memcpy(&present, source + XSTATE_BV, sizeof present);
    memcpy(&format, source + XCOMP_BV, sizeof format);
    if (!(format & COMPACTED) || format & ~COMPACTED & ~mask || present & ~format)
        return HV_E_INVALID_PARAMETER;
    struct kvm_xsave state;
    memset(&state, 0, sizeof state);
    char *image = (char *)state.region;
    memcpy(image, source, LEGACY);
    memcpy(image + XSTATE_BV, &present, sizeof present);
    for (int i = 2; i < 63; i++)
        if (format >> i & 1)
        {
            UINT32 length = component(i, &standard, &place);
            if (place + length > size)
                return HV_E_INVALID_PARAMETER;
            memcpy(image + standard, source + place, length);
            place += length;
        }
    int set = kvm(partition->vcpu, KVM_SET_XSAVE, &state);
    return set < 0 ? from_errno(-set) : S_OK;
}
