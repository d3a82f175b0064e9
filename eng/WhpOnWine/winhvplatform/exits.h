#ifndef EXITS_H
#define EXITS_H

#include "partition.h"

// Describes the exit that KVM has reported, and has KVM finish what it leaves for the next entry, so that the registers are
// those at the start of the instruction.
HRESULT describe_exit(struct partition *partition, WHV_RUN_VP_EXIT_CONTEXT *context);

// The reason and what every exit says of the processor.
void describe_processor(struct partition *partition, WHV_RUN_VP_EXIT_REASON reason, WHV_RUN_VP_EXIT_CONTEXT *context);

// KVM_RUN that finishes an access and does not enter the guest.
HRESULT finish_access(struct partition *partition);

// An exit by an access to an I/O port.
HRESULT describe_io(struct partition *partition, WHV_RUN_VP_EXIT_CONTEXT *context);

#endif
