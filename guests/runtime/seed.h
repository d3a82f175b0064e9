// SPDX-License-Identifier: Apache-2.0
//
// Random numbers that are different in every sandbox, also in those that start
// from one snapshot.

#ifndef HL_SEED_H
#define HL_SEED_H

// Takes the seed that the host leaves at every restore, if it was not taken yet:
// rand starts over from it, and hl_seed changes.
void hl_take_new_seed(void);

#endif
