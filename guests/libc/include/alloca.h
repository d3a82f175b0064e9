// SPDX-License-Identifier: Apache-2.0

#ifndef HL_LIBC_ALLOCA_H
#define HL_LIBC_ALLOCA_H

#define alloca(size) __builtin_alloca(size)

#endif
