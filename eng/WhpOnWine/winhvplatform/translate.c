// WHvTranslateGva.
#include "memory.h"

HRESULT WINAPI WHvTranslateGva(WHV_PARTITION_HANDLE handle, UINT32 index, WHV_GUEST_VIRTUAL_ADDRESS gva,
    WHV_TRANSLATE_GVA_FLAGS flags, WHV_TRANSLATE_GVA_RESULT *result, WHV_GUEST_PHYSICAL_ADDRESS *gpa)
{
    struct partition *partition;
    HRESULT found = find_processor(handle, index, &partition);
    if (FAILED(found))
        return found;
    if (atomic_load(&partition->is_running))
        return WHV_E_INVALID_VP_STATE;
    struct kvm_translation translation = { .linear_address = gva };
    int got = kvm(partition->vcpu, KVM_TRANSLATE, &translation);
    if (got < 0)
        return from_errno(-got);
    result->Reserved = 0;
    result->ResultCode = WHvTranslateGvaResultSuccess;
    *gpa = translation.physical_address;

    // KVM says whether there is a translation, and not what it permits.
    if (!translation.valid)
        result->ResultCode = WHvTranslateGvaResultPageNotPresent;
    else if (flags && !is_mapped(partition, translation.physical_address))
        result->ResultCode = WHvTranslateGvaResultGpaUnmapped;
    return S_OK;
}
