// The values of model-specific registers.
#include "processor.h"

#define TSC 0x10
#define TSC_ADJUST 0x3B

static HRESULT get_of_kvm(struct partition *partition, UINT32 index, UINT64 *value)
{
    struct
    {
        struct kvm_msrs header;
        struct kvm_msr_entry entry;
    } msr = { .header.nmsrs = 1, .entry.index = index };
    if (kvm(partition->vcpu, KVM_GET_MSRS, &msr) != 1)
        return WHV_E_INVALID_VP_REGISTER_NAME;
    *value = msr.entry.data;
    return S_OK;
}

static HRESULT set_of_kvm(struct partition *partition, UINT32 index, UINT64 value)
{
    struct
    {
        struct kvm_msrs header;
        struct kvm_msr_entry entry;
    } msr = { .header.nmsrs = 1, .entry = { .index = index, .data = value } };
    return kvm(partition->vcpu, KVM_SET_MSRS, &msr) == 1 ? S_OK : HV_E_INVALID_PARAMETER;
}

// KVM takes a value that is less than a second from the counter's as an attempt to synchronize processors, and ignores it. It does
// not if the counter is set by its distance from the machine's.
static HRESULT set_counter(struct partition *partition, UINT64 value)
{
    UINT64 counter, offset;
    struct kvm_device_attr attribute = {
        .group = KVM_VCPU_TSC_CTRL, .attr = KVM_VCPU_TSC_OFFSET, .addr = (UINT_PTR)&offset };
    HRESULT result = get_of_kvm(partition, TSC, &counter);
    if (FAILED(result))
        return result;
    if (kvm(partition->vcpu, KVM_GET_DEVICE_ATTR, &attribute) < 0)
        return set_of_kvm(partition, TSC, value); // before Linux 5.16
    offset += value - counter;
    int error = kvm(partition->vcpu, KVM_SET_DEVICE_ATTR, &attribute);
    return error < 0 ? from_errno(-error) : S_OK;
}

// Writing it changes the counter, as on a processor. KVM changes the counter for a guest's write only, and keeps the value only if
// CPUID shows the register to the guest; what a guest adds to the counter is in the value anyway.
static HRESULT set_adjustment(struct partition *partition, UINT64 value)
{
    UINT64 kept, counter;
    HRESULT result = get_of_kvm(partition, TSC_ADJUST, &kept);
    if (SUCCEEDED(result))
        result = get_of_kvm(partition, TSC, &counter);
    UINT64 added = value - (kept - partition->tsc_adjust_base);
    if (SUCCEEDED(result) && added)
        result = set_counter(partition, counter + added);
    if (FAILED(result))
        return result;
    if (partition->shows_tsc_adjust)
        return set_of_kvm(partition, TSC_ADJUST, value);
    partition->tsc_adjust_base = kept - value;
    return S_OK;
}

HRESULT get_msr(struct partition *partition, UINT32 index, UINT64 *value)
{
    HRESULT result = get_of_kvm(partition, index, value);
    if (SUCCEEDED(result) && index == TSC_ADJUST)
        *value -= partition->tsc_adjust_base;
    return result;
}

HRESULT set_msr(struct partition *partition, UINT32 index, UINT64 value)
{
    switch (index)
    {
    case TSC: return set_counter(partition, value);
    case TSC_ADJUST: return set_adjustment(partition, value);
    default: return set_of_kvm(partition, index, value);
    }
}
