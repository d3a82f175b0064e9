// SPDX-License-Identifier: Apache-2.0

#include "workloads.h"

#include <stddef.h>

#define NODES 256
#define ORDER 24
#define TEXT_SIZE 1024
#define CRC_POLYNOMIAL 0xEDB88320u
#define LOOP_ROUNDS 20000

struct node {
    struct node *next;
    int32_t key;
    int32_t value;
};

enum state { START, SIGN, INTEGER, FRACTION, EXPONENT, WORD, INVALID, STATES };

static struct node nodes[NODES];
static int32_t left[ORDER][ORDER];
static int32_t right[ORDER][ORDER];
static int32_t product[ORDER][ORDER];
static char text[TEXT_SIZE];

static uint32_t next_random(uint32_t *state)
{
    uint32_t x = *state;

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    *state = x;
    return x;
}

__attribute__((noinline)) static uint32_t crc(uint32_t sum, const void *data, size_t length)
{
    const uint8_t *bytes = data;

    sum = ~sum;
    for (size_t i = 0; i < length; i++) {
        sum ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) {
            sum = (sum >> 1) ^ (CRC_POLYNOMIAL & (0u - (sum & 1)));
        }
    }
    return ~sum;
}

// Merges two sorted lists.
__attribute__((noinline)) static struct node *merge(struct node *a, struct node *b)
{
    struct node *first = NULL;
    struct node **link = &first;

    while (a != NULL && b != NULL) {
        struct node **smaller = a->key <= b->key ? &a : &b;

        *link = *smaller;
        link = &(*smaller)->next;
        *smaller = (*smaller)->next;
    }
    *link = a != NULL ? a : b;
    return first;
}

static struct node *sort(struct node *list)
{
    struct node *halves[2] = { NULL, NULL };
    int turn = 0;

    if (list == NULL || list->next == NULL) {
        return list;
    }
    while (list != NULL) {
        struct node *next = list->next;

        list->next = halves[turn];
        halves[turn] = list;
        turn ^= 1;
        list = next;
    }
    return merge(sort(halves[0]), sort(halves[1]));
}

static uint32_t run_list(uint32_t seed)
{
    struct node *list = NULL;
    uint32_t sum = 0;

    for (int i = 0; i < NODES; i++) {
        nodes[i].key = (int32_t)(next_random(&seed) & 0xFFFF);
        nodes[i].value = i;
        nodes[i].next = list;
        list = &nodes[i];
    }
    for (struct node *node = sort(list); node != NULL; node = node->next) {
        sum = sum * 31 + (uint32_t)(node->key ^ node->value);
    }
    return sum;
}

static uint32_t run_matrix(uint32_t seed)
{
    uint32_t sum = 0;

    for (int i = 0; i < ORDER; i++) {
        for (int j = 0; j < ORDER; j++) {
            left[i][j] = (int32_t)(next_random(&seed) & 0xFF) - 128;
            right[i][j] = (int32_t)(next_random(&seed) & 0xFF) - 128;
        }
    }
    for (int i = 0; i < ORDER; i++) {
        for (int j = 0; j < ORDER; j++) {
            int32_t total = 0;

            for (int k = 0; k < ORDER; k++) {
                total += left[i][k] * right[k][j];
            }
            product[i][j] = total;
        }
    }
    for (int i = 0; i < ORDER; i++) {
        for (int j = 0; j < ORDER; j++) {
            sum = sum * 17 + (uint32_t)(product[i][j] >> 3);
        }
    }
    return sum;
}

static enum state step(enum state state, char c)
{
    int is_digit = c >= '0' && c <= '9';

    switch (state) {
    case START:
        return is_digit ? INTEGER : c == '+' || c == '-' ? SIGN : c == '.' ? FRACTION : WORD;
    case SIGN:
        return is_digit ? INTEGER : c == '.' ? FRACTION : INVALID;
    case INTEGER:
        return is_digit ? INTEGER : c == '.' ? FRACTION : c == 'e' ? EXPONENT : INVALID;
    case FRACTION:
        return is_digit ? FRACTION : c == 'e' ? EXPONENT : INVALID;
    case EXPONENT:
        return is_digit || c == '-' ? EXPONENT : INVALID;
    case WORD:
        return is_digit ? INVALID : WORD;
    default:
        return INVALID;
    }
}

static uint32_t run_state_machine(uint32_t seed)
{
    static const char letters[] = "0123456789+-.e,ab,12,,";
    uint32_t counts[STATES] = { 0 };
    enum state state = START;
    uint32_t sum = 0;

    for (int i = 0; i < TEXT_SIZE; i++) {
        text[i] = letters[next_random(&seed) % (sizeof letters - 1)];
    }
    for (int i = 0; i < TEXT_SIZE; i++) {
        if (text[i] == ',') {
            counts[state]++;
            state = START;
        } else {
            state = step(state, text[i]);
        }
    }
    for (int i = 0; i < STATES; i++) {
        sum = sum * 13 + counts[i];
    }
    return sum;
}

// Arithmetic in registers alone.
static uint32_t run_loop(uint32_t seed)
{
    uint64_t a = seed;
    uint64_t b = 0x9E3779B97F4A7C15u;

    for (int i = 0; i < LOOP_ROUNDS; i++) {
        a += b;
        b ^= a >> 7;
        a = (a << 3) - b;
        b += (uint64_t)i & a;
    }
    return (uint32_t)(a ^ b);
}

uint64_t run_workload(uint64_t which, uint64_t rounds)
{
    uint32_t sum = 0;

    for (uint64_t i = 0; i < rounds; i++) {
        uint32_t seed = (uint32_t)i * 2654435761u + 1;

        if (which == WORKLOAD_LIST || which == WORKLOAD_MIX) {
            sum += run_list(seed);
        }
        if (which == WORKLOAD_MATRIX || which == WORKLOAD_MIX) {
            sum += run_matrix(seed);
        }
        if (which == WORKLOAD_STATE_MACHINE || which == WORKLOAD_MIX) {
            sum += run_state_machine(seed);
        }
        if (which == WORKLOAD_CRC || which == WORKLOAD_MIX) {
            sum = crc(sum, text, sizeof text);
        }
        if (which == WORKLOAD_LOOP) {
            sum += run_loop(seed);
        }
    }
    return sum;
}
