// SPDX-License-Identifier: Apache-2.0
//
// A B-tree. A full node is divided on the way down, so that there is always room
// for the key that a child gives up.

#include "btree.h"

#include <stddef.h>
#include <string.h>

#define MOST_KEYS 7
#define MIDDLE (MOST_KEYS / 2)
#define MOST_NODES 256
#define MOST_ROWS 1024

struct node {
    int count;
    int is_leaf;
    struct row *rows[MOST_KEYS];
    struct node *children[MOST_KEYS + 1];
};

static struct node nodes[MOST_NODES];
static struct row rows[MOST_ROWS];
static int node_count;
static int row_count;
static struct node *root;

static struct node *new_node(int is_leaf)
{
    struct node *node = &nodes[node_count++];

    node->count = 0;
    node->is_leaf = is_leaf;
    return node;
}

void tree_clear(void)
{
    node_count = 0;
    row_count = 0;
    root = new_node(1);
}

// Moves the upper half of a full child into a new node behind it.
static void divide(struct node *parent, int at)
{
    struct node *lower = parent->children[at];
    struct node *upper = new_node(lower->is_leaf);

    upper->count = MOST_KEYS - MIDDLE - 1;
    for (int i = 0; i < upper->count; i++) {
        upper->rows[i] = lower->rows[MIDDLE + 1 + i];
    }
    for (int i = 0; !lower->is_leaf && i <= upper->count; i++) {
        upper->children[i] = lower->children[MIDDLE + 1 + i];
    }
    lower->count = MIDDLE;
    for (int i = parent->count; i > at; i--) {
        parent->rows[i] = parent->rows[i - 1];
        parent->children[i + 1] = parent->children[i];
    }
    parent->rows[at] = lower->rows[MIDDLE];
    parent->children[at + 1] = upper;
    parent->count++;
}

// The first key that is not smaller, and whether it is equal.
static int position(const struct node *node, const char *key, int *is_equal)
{
    int low = 0;
    int high = node->count;

    *is_equal = 0;
    while (low < high) {
        int middle = (low + high) / 2;
        int order = strcmp(node->rows[middle]->key, key);

        if (order == 0) {
            *is_equal = 1;
            return middle;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct row *insert(struct node *leaf, int at, const char *key)
{
    struct row *row = &rows[row_count++];

    for (int i = leaf->count; i > at; i--) {
        leaf->rows[i] = leaf->rows[i - 1];
    }
    strncpy(row->key, key, KEY_SIZE - 1);
    row->key[KEY_SIZE - 1] = '\0';
    row->amount = 0;
    row->age = 0;
    leaf->rows[at] = row;
    leaf->count++;
    return row;
}

struct row *tree_row(const char *key)
{
    struct node *node = root;

    if (root->count == MOST_KEYS) {
        node = new_node(0);
        node->children[0] = root;
        root = node;
        divide(node, 0);
    }
    for (;;) {
        int is_equal;
        int at = position(node, key, &is_equal);

        if (is_equal) {
            return node->rows[at];
        }
        if (node->is_leaf) {
            return insert(node, at, key);
        }
        if (node->children[at]->count == MOST_KEYS) {
            divide(node, at);
        } else {
            node = node->children[at];
        }
    }
}

static void scan(const struct node *node, void (*visit)(const struct row *row, void *state), void *state)
{
    for (int i = 0; i <= node->count; i++) {
        if (!node->is_leaf) {
            scan(node->children[i], visit, state);
        }
        if (i < node->count) {
            visit(node->rows[i], state);
        }
    }
}

void tree_scan(void (*visit)(const struct row *row, void *state), void *state)
{
    scan(root, visit, state);
}
