// The state of a processor as far as one call of the platform reads or writes it: each part is fetched from KVM when it is first
// needed, and stored if it was changed.
#ifndef REGISTER_BATCH_H
#define REGISTER_BATCH_H

#include "partition.h"

enum part
{
    GENERAL = 1 << 0,
    SPECIAL = 1 << 1,
    EXTENDED = 1 << 2, // x87, SSE
    DEBUG = 1 << 3,
    XCR = 1 << 4,
    EVENTS = 1 << 5,
};

struct register_batch
{
    struct partition *partition;
    unsigned loaded, changed;
    struct kvm_regs general;
    struct kvm_sregs special;
    struct kvm_xsave extended;
    struct kvm_debugregs debug;
    struct kvm_xcrs xcrs;
    struct kvm_vcpu_events events;
};

// Fetches a part.
HRESULT load_part(struct register_batch *batch, enum part part);

// Stores the parts that were changed.
HRESULT store_parts(struct register_batch *batch);

#endif
