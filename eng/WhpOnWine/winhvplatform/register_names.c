#include "register_names.h"

// FXSAVE, the start of an XSAVE image.
#define FX_ST 32
#define FX_XMM 160

static bool at(struct register_place *place, enum part part, enum shape shape, void *value)
{
    place->part = part;
    place->shape = shape;
    place->value = value;
    return true;
}

static bool find_general(struct kvm_regs *r, UINT32 name, struct register_place *place)
{
    void *values[] = { &r->rax, &r->rcx, &r->rdx, &r->rbx, &r->rsp, &r->rbp, &r->rsi, &r->rdi, &r->r8, &r->r9, &r->r10, &r->r11,
        &r->r12, &r->r13, &r->r14, &r->r15, &r->rip, &r->rflags };
    return at(place, GENERAL, BITS_64, values[name - WHvX64RegisterRax]);
}

static bool find_segment(struct kvm_sregs *s, UINT32 name, struct register_place *place)
{
    void *values[] = { &s->es, &s->cs, &s->ss, &s->ds, &s->fs, &s->gs, &s->ldt, &s->tr };
    return at(place, SPECIAL, SEGMENT, values[name - WHvX64RegisterEs]);
}

static bool find_control(struct register_batch *b, UINT32 name, struct register_place *place)
{
    switch (name)
    {
    case WHvX64RegisterIdtr: return at(place, SPECIAL, TABLE, &b->special.idt);
    case WHvX64RegisterGdtr: return at(place, SPECIAL, TABLE, &b->special.gdt);
    case WHvX64RegisterCr0: return at(place, SPECIAL, BITS_64, &b->special.cr0);
    case WHvX64RegisterCr2: return at(place, SPECIAL, BITS_64, &b->special.cr2);
    case WHvX64RegisterCr3: return at(place, SPECIAL, BITS_64, &b->special.cr3);
    case WHvX64RegisterCr4: return at(place, SPECIAL, BITS_64, &b->special.cr4);
    case WHvX64RegisterCr8: return at(place, SPECIAL, BITS_64, &b->special.cr8);
    case WHvX64RegisterEfer: return at(place, SPECIAL, BITS_64, &b->special.efer);
    case WHvX64RegisterApicBase: return at(place, SPECIAL, BITS_64, &b->special.apic_base);
    case WHvX64RegisterDr6: return at(place, DEBUG, BITS_64, &b->debug.dr6);
    case WHvX64RegisterDr7: return at(place, DEBUG, BITS_64, &b->debug.dr7);
    case WHvX64RegisterXCr0: return at(place, XCR, BITS_64, &b->xcrs.xcrs[0].value);
    case WHvX64RegisterFpControlStatus: return at(place, EXTENDED, FP_CONTROL, b->extended.region);
    case WHvX64RegisterXmmControlStatus: return at(place, EXTENDED, XMM_CONTROL, b->extended.region);
    case WHvRegisterPendingInterruption: return at(place, EVENTS, PENDING_INTERRUPTION, NULL);
    case WHvRegisterInterruptState: return at(place, EVENTS, INTERRUPT_STATE, NULL);
    case WHvRegisterPendingEvent: return at(place, EVENTS, PENDING_EVENT, NULL);
    case WHvX64RegisterDeliverabilityNotifications:
    case WHvRegisterInternalActivityState:
    case WHvX64RegisterPendingDebugException: return at(place, EVENTS, NOTHING, NULL);
    default: return false;
    }
}

bool find_register(struct register_batch *batch, WHV_REGISTER_NAME signed_name, struct register_place *place)
{
    UINT32 name = signed_name;
    char *fx = (char *)batch->extended.region;
    if (name <= WHvX64RegisterRflags)
        return find_general(&batch->general, name, place);
    if (name >= WHvX64RegisterEs && name <= WHvX64RegisterTr)
        return find_segment(&batch->special, name, place);
    if (name >= WHvX64RegisterDr0 && name <= WHvX64RegisterDr3)
        return at(place, DEBUG, BITS_64, &batch->debug.db[name - WHvX64RegisterDr0]);
    if (name >= WHvX64RegisterXmm0 && name <= WHvX64RegisterXmm15)
        return at(place, EXTENDED, BITS_128, fx + FX_XMM + 16 * (name - WHvX64RegisterXmm0));
    if (name >= WHvX64RegisterFpMmx0 && name <= WHvX64RegisterFpMmx7)
        return at(place, EXTENDED, BITS_128, fx + FX_ST + 16 * (name - WHvX64RegisterFpMmx0));
    return find_control(batch, name, place);
}
