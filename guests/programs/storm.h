// SPDX-License-Identifier: Apache-2.0

#ifndef PROGRAMS_STORM_H
#define PROGRAMS_STORM_H

#include <stdint.h>

int storms(uint64_t seed, uint64_t count, int is_code);
int residue(void);
int balance(void);
int attacks(const char *name);

#endif
