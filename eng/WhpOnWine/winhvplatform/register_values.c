// Values of registers, from KVM's form to the platform's and back.
#include "register_values.h"
#include <string.h>

// FXSAVE.
#define FX_CONTROL 0
#define FX_STATUS 2
#define FX_TAG 4
#define FX_OPCODE 6
#define FX_RIP 8
#define FX_RDP 16
#define FX_MXCSR 24
#define FX_MXCSR_MASK 28

WHV_X64_SEGMENT_REGISTER to_segment(const struct kvm_segment *segment)
{
    WHV_X64_SEGMENT_REGISTER result = { .Base = segment->base, .Limit = segment->limit, .Selector = segment->selector };
    result.SegmentType = segment->type;
    result.NonSystemSegment = segment->s;
    result.DescriptorPrivilegeLevel = segment->dpl;
    result.Present = segment->present;
    result.Available = segment->avl;
    result.Long = segment->l;
    result.Default = segment->db;
    result.Granularity = segment->g;
    return result;
}

static void from_segment(const WHV_X64_SEGMENT_REGISTER *value, struct kvm_segment *segment)
{
    *segment = (struct kvm_segment){
        .base = value->Base,
        .limit = value->Limit,
        .selector = value->Selector,
        .type = value->SegmentType,
        .s = value->NonSystemSegment,
        .dpl = value->DescriptorPrivilegeLevel,
        .present = value->Present,
        .avl = value->Available,
        .l = value->Long,
        .db = value->Default,
        .g = value->Granularity,
        .unusable = !value->Present,
    };
}

static void get_interruption(const struct kvm_vcpu_events *events, WHV_X64_PENDING_INTERRUPTION_REGISTER *value)
{
    if (events->exception.injected || events->exception.pending)
    {
        value->InterruptionPending = 1;
        value->InterruptionType = WHvX64PendingException;
        value->InterruptionVector = events->exception.nr;
        value->DeliverErrorCode = events->exception.has_error_code;
        value->ErrorCode = events->exception.error_code;
    }
    else if (events->interrupt.injected || events->nmi.injected)
    {
        value->InterruptionPending = 1;
        value->InterruptionType = events->nmi.injected ? WHvX64PendingNmi : WHvX64PendingInterrupt;
        value->InterruptionVector = events->nmi.injected ? 2 : events->interrupt.nr;
    }
}

static void set_interruption(const WHV_X64_PENDING_INTERRUPTION_REGISTER *value, struct kvm_vcpu_events *events)
{
    memset(&events->exception, 0, sizeof events->exception);
    events->interrupt.injected = events->interrupt.nr = events->interrupt.soft = 0;
    events->nmi.injected = events->nmi.pending = 0;
    if (!value->InterruptionPending)
        return;
    if (value->InterruptionType == WHvX64PendingException)
    {
        events->exception.injected = 1;
        events->exception.nr = value->InterruptionVector;
        events->exception.has_error_code = value->DeliverErrorCode;
        events->exception.error_code = value->ErrorCode;
    }
    else if (value->InterruptionType == WHvX64PendingNmi)
        events->nmi.injected = 1;
    else
    {
        events->interrupt.injected = 1;
        events->interrupt.nr = value->InterruptionVector;
    }
}

void get_value(struct register_batch *batch, const struct register_place *place, WHV_REGISTER_VALUE *value)
{
    const char *fx = place->value;
    switch (place->shape)
    {
    case BITS_64: memcpy(&value->Reg64, place->value, 8); break;
    case BITS_128: memcpy(value, place->value, 16); break;
    case SEGMENT: value->Segment = to_segment(place->value); break;
    case TABLE:
        value->Table.Base = ((struct kvm_dtable *)place->value)->base;
        value->Table.Limit = ((struct kvm_dtable *)place->value)->limit;
        break;
    case FP_CONTROL:
        memcpy(&value->FpControlStatus.FpControl, fx + FX_CONTROL, 2);
        memcpy(&value->FpControlStatus.FpStatus, fx + FX_STATUS, 2);
        memcpy(&value->FpControlStatus.FpTag, fx + FX_TAG, 1);
        memcpy(&value->FpControlStatus.LastFpOp, fx + FX_OPCODE, 2);
        memcpy(&value->FpControlStatus.LastFpRip, fx + FX_RIP, 8);
        break;
    case XMM_CONTROL:
        memcpy(&value->XmmControlStatus.LastFpRdp, fx + FX_RDP, 8);
        memcpy(&value->XmmControlStatus.XmmStatusControl, fx + FX_MXCSR, 4);
        memcpy(&value->XmmControlStatus.XmmStatusControlMask, fx + FX_MXCSR_MASK, 4);
        break;
    case PENDING_INTERRUPTION: get_interruption(&batch->events, &value->PendingInterruption); break;
    case INTERRUPT_STATE:
        value->InterruptState.InterruptShadow = batch->events.interrupt.shadow != 0;
        value->InterruptState.NmiMasked = batch->events.nmi.masked;
        break;
    default: break;
    }
}

void set_value(struct register_batch *batch, const struct register_place *place, const WHV_REGISTER_VALUE *value)
{
    char *fx = place->value;
    switch (place->shape)
    {
    case BITS_64: memcpy(place->value, &value->Reg64, 8); break;
    case BITS_128: memcpy(place->value, value, 16); break;
    case SEGMENT: from_segment(&value->Segment, place->value); break;
    case TABLE:
        ((struct kvm_dtable *)place->value)->base = value->Table.Base;
        ((struct kvm_dtable *)place->value)->limit = value->Table.Limit;
        break;
    case FP_CONTROL:
        memcpy(fx + FX_CONTROL, &value->FpControlStatus.FpControl, 2);
        memcpy(fx + FX_STATUS, &value->FpControlStatus.FpStatus, 2);
        memcpy(fx + FX_TAG, &value->FpControlStatus.FpTag, 1);
        memcpy(fx + FX_OPCODE, &value->FpControlStatus.LastFpOp, 2);
        memcpy(fx + FX_RIP, &value->FpControlStatus.LastFpRip, 8);
        break;
    case XMM_CONTROL:
        memcpy(fx + FX_RDP, &value->XmmControlStatus.LastFpRdp, 8);
        memcpy(fx + FX_MXCSR, &value->XmmControlStatus.XmmStatusControl, 4);
        break;
    case PENDING_INTERRUPTION: set_interruption(&value->PendingInterruption, &batch->events); break;
    case INTERRUPT_STATE:
        batch->events.interrupt.shadow = value->InterruptState.InterruptShadow ? 3 : 0;
        batch->events.nmi.masked = value->InterruptState.NmiMasked;
        batch->events.flags |= KVM_VCPUEVENT_VALID_SHADOW;
        break;
    default: break;
    }
}
