// SPDX-License-Identifier: Apache-2.0
//
// The registers of floating point and vectors of the program. The kernel does not
// use them: they stay in the processor until another thread runs.

#ifndef LINUX_VECTORS_H
#define LINUX_VECTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VECTORS_ALIGNMENT 64
// The largest image. Fits x87, SSE, AVX and AVX-512.
#define VECTORS_MOST_SIZE 0x1000

// Enables the components that the processor has and that the kernel knows. Once:
// a snapshot keeps it.
void vectors_init(void);

// Uses FXSAVE from now on if the hypervisor did not keep what vectors_init enabled:
// one on an emulated processor is not told of XSETBV. At least one exit must have
// taken place since vectors_init.
void vectors_confirm(void);

// The size of an image, and the components in it: 0 without XSAVE, when it is
// that of FXSAVE.
size_t vectors_size(void);
uint64_t vectors_components(void);

void vectors_save(void *image);

// The image must be one of vectors_save, or one that vectors_check accepted.
void vectors_load(const void *image);

// As a program finds them at its start.
void vectors_reset(void);

// Whether an image from the program can be loaded. Components that are not
// enabled are removed from it.
bool vectors_check(void *image);

#endif
