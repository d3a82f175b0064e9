#include "register_batch.h"

static const struct
{
    enum part part;
    unsigned long get, set;
} requests[] = {
    { SPECIAL, KVM_GET_SREGS, KVM_SET_SREGS },
    { XCR, KVM_GET_XCRS, KVM_SET_XCRS },
    { EXTENDED, KVM_GET_XSAVE, KVM_SET_XSAVE },
    { DEBUG, KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS },
    { GENERAL, KVM_GET_REGS, KVM_SET_REGS },

    // Last: what is stored before drops pending events.
    { EVENTS, KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS },
};

static void *buffer_of(struct register_batch *batch, enum part part)
{
    switch (part)
    {
    case GENERAL: return &batch->general;
    case SPECIAL: return &batch->special;
    case EXTENDED: return &batch->extended;
    case DEBUG: return &batch->debug;
    case XCR: return &batch->xcrs;
    default: return &batch->events;
    }
}

HRESULT load_part(struct register_batch *batch, enum part part)
{
    if (batch->loaded & part)
        return S_OK;
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
        if (requests[i].part == part)
        {
            int result = kvm(batch->partition->vcpu, requests[i].get, buffer_of(batch, part));
            if (result < 0)
                return from_errno(-result);
        }
    batch->loaded |= part;
    return S_OK;
}

HRESULT store_parts(struct register_batch *batch)
{
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
        if (batch->changed & requests[i].part)
        {
            int result = kvm(batch->partition->vcpu, requests[i].set, buffer_of(batch, requests[i].part));
            if (result < 0)
                return from_errno(-result);
        }

    // Without an interrupt controller of its own, KVM takes this register from here at every entry.
    if (batch->changed & SPECIAL)
        batch->partition->run->cr8 = batch->special.cr8;
    return S_OK;
}
