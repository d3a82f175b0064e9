#ifndef PROCESSOR_H
#define PROCESSOR_H

#include "partition.h"

void delete_processor(struct partition *partition);

// KVM_SET_CPUID2 as the partition's properties want it.
HRESULT set_cpuid(struct partition *partition);

// KVM_X86_SET_MSR_FILTER: a guest may use those that have a name.
HRESULT set_msr_filter(struct partition *partition);

// The number of the model-specific register with a name.
bool find_msr(WHV_REGISTER_NAME name, UINT32 *index);

HRESULT get_msr(struct partition *partition, UINT32 index, UINT64 *value);
HRESULT set_msr(struct partition *partition, UINT32 index, UINT64 value);

#endif
