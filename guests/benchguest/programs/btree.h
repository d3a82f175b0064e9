// SPDX-License-Identifier: Apache-2.0
//
// A tree of rows, ordered by a text key.

#ifndef BENCHGUEST_BTREE_H
#define BENCHGUEST_BTREE_H

#include <stdint.h>

#define KEY_SIZE 16

struct row {
    char key[KEY_SIZE];
    int64_t amount;
    int64_t age;
};

void tree_clear(void);

// The row of a key; a new one, with zeros, if there is none.
struct row *tree_row(const char *key);

// Calls a function for each row in the order of the keys.
void tree_scan(void (*visit)(const struct row *row, void *state), void *state);

#endif
