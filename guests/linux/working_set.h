// SPDX-License-Identifier: Apache-2.0
//
// The pages that a program uses after its checkpoint. A trial run records them. Of
// those, the ones that runs share are mapped in the snapshot from which runs start, and
// the ones that each run has for itself are copied when it starts: neither takes a page
// fault of its own any more.

#ifndef LINUX_WORKING_SET_H
#define LINUX_WORKING_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// From now on working_set_note records pages.
void working_set_record(void);

// A page was made present for an access. `is_own`: it is memory of the run, and not a
// page that runs share.
void working_set_note(uint64_t page, unsigned access, bool is_own);

// Ends the recording: what was recorded. Sorted, it is for working_set_keep.
const uint8_t *working_set_recorded(size_t *size);

// At the checkpoint, before another snapshot is taken there: maps the shared pages, and
// keeps the list of the others. False if the bytes are not a list.
bool working_set_keep(const uint8_t *bytes, size_t size);

// At the start of a run: gives it the pages of its own, as long as there is enough
// memory.
void working_set_prepare(void);

#endif
