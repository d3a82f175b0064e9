// WHvGetCapability: what this platform offers.
#include "partition.h"
#include <string.h>

static HRESULT give(const void *value, UINT32 size, void *buffer, UINT32 room, UINT32 *written)
{
    if (written)
        *written = size;
    if (room < size)
        return WHV_E_INSUFFICIENT_BUFFER;
    memcpy(buffer, value, size);
    return S_OK;
}

HRESULT WINAPI WHvGetCapability(WHV_CAPABILITY_CODE code, void *buffer, UINT32 size, UINT32 *written)
{
    switch (code)
    {
    case WHvCapabilityCodeHypervisorPresent:
    {
        BOOL present = kvm_device() >= 0;
        return give(&present, sizeof present, buffer, size, written);
    }
    case WHvCapabilityCodeFeatures:
    {
        WHV_CAPABILITY_FEATURES features = { .AsUINT64 = 0 };
        features.Xsave = 1;
        return give(&features, sizeof features, buffer, size, written);
    }
    case WHvCapabilityCodeExtendedVmExits:
    {
        WHV_EXTENDED_VM_EXITS exits = { .AsUINT64 = 0 };
        return give(&exits, sizeof exits, buffer, size, written);
    }
    case WHvCapabilityCodeProcessorFeaturesBanks:
    {
        // Every feature that has a name: those that KVM does not have are missing from CPUID whatever a partition asks for.
        WHV_PROCESSOR_FEATURES_BANKS banks = { .BanksCount = WHV_PROCESSOR_FEATURES_BANKS_COUNT };
        memset(banks.AsUINT64, 0xFF, sizeof banks.AsUINT64);
        return give(&banks, sizeof banks, buffer, size, written);
    }
    default:
        return WHV_E_UNKNOWN_CAPABILITY;
    }
}
