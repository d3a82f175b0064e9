#ifndef MEMORY_H
#define MEMORY_H

#include "partition.h"

// Unmaps every mirror, when the virtual machine is gone.
void forget_memory(struct partition *partition);

// Whether guest memory is mapped at an address.
bool is_mapped(struct partition *partition, UINT64 gpa);

// Reads guest memory at a virtual address, as far as it is mapped.
size_t read_code(struct partition *partition, UINT64 address, void *buffer, size_t size);

// Maps pages of another process into this one, both see what either writes.
HRESULT mirror_memory(HANDLE process, const void *address, UINT64 size, bool writable, void **mirror);

#endif
