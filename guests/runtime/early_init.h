// SPDX-License-Identifier: Apache-2.0

#ifndef HL_EARLY_INIT_H
#define HL_EARLY_INIT_H

// Descriptor tables, exception handling and the first page of the main stack.
void hl_early_init(void);

#endif
