// SPDX-License-Identifier: Apache-2.0
//
// An interpreter of byte code, of the kind that scripting languages have: a
// register machine with tagged values, a window of registers for each call, and
// a table that maps values to values.

#include "programs.h"

#include <stddef.h>

#define REGISTERS 256
#define MOST_CALLS 40
#define TABLE_SIZE 256

enum tag { NIL, INTEGER, BOOLEAN };

struct value {
    uint64_t tag;
    int64_t number;
};

struct entry {
    struct value key;
    struct value value;
};

enum op { MOVE, LOAD, ADD, SUB, MUL, ADD_K, MUL_K, AND_K, LESS, LESS_K, IF_NOT, JUMP, GET, SET, CALL, RETURN };

// Operation, target and two operands; a jump has a signed operand of 16 bits.
#define CODE(op, a, b, c) ((uint32_t)(op) | (uint32_t)(a) << 8 | (uint32_t)(uint8_t)(b) << 16 | (uint32_t)(uint8_t)(c) << 24)
#define FAR(op, a, target) ((uint32_t)(op) | (uint32_t)(a) << 8 | (uint32_t)(uint16_t)(target) << 16)

enum { FIBONACCI = 0, MAIN = 9, LOOP = 14 };

static const uint32_t code[] = {
    // Fibonacci: register 0 in, register 0 out.
    CODE(LESS_K, 1, 0, 2),
    FAR(IF_NOT, 1, 3),
    CODE(RETURN, 0, 0, 0),
    CODE(ADD_K, 2, 0, -1),
    FAR(CALL, 2, FIBONACCI),
    CODE(ADD_K, 3, 0, -2),
    FAR(CALL, 3, FIBONACCI),
    CODE(ADD, 0, 2, 3),
    CODE(RETURN, 0, 0, 0),
    // Main: a number, then a loop that counts in a table.
    CODE(MOVE, 1, 0, 0),
    FAR(CALL, 1, FIBONACCI),
    FAR(LOAD, 2, 0),
    FAR(LOAD, 3, 3000),
    FAR(LOAD, 7, 0),
    // Loop.
    CODE(MUL_K, 4, 2, 7),
    CODE(AND_K, 4, 4, 63),
    CODE(GET, 5, 4, 0),
    CODE(ADD, 5, 5, 2),
    CODE(SET, 4, 5, 0),
    CODE(ADD, 1, 1, 5),
    CODE(MUL, 6, 5, 4),
    CODE(SUB, 1, 1, 6),
    CODE(ADD_K, 2, 2, 1),
    CODE(LESS, 6, 2, 3),
    FAR(IF_NOT, 6, 26),
    FAR(JUMP, 0, LOOP),
    CODE(RETURN, 1, 0, 0),
};

static struct value registers[REGISTERS];
static struct entry table[TABLE_SIZE];

static struct entry *find(const struct value *key)
{
    size_t at = (size_t)key->number * 0x9E3779B1u >> 7;

    for (;; at++) {
        struct entry *entry = &table[at % TABLE_SIZE];

        if (entry->key.tag == NIL || (entry->key.tag == key->tag && entry->key.number == key->number)) {
            return entry;
        }
    }
}

static int64_t number_of(const struct value *value)
{
    return value->tag == INTEGER ? value->number : 0;
}

static void set(struct value *value, enum tag tag, int64_t number)
{
    value->tag = tag;
    value->number = number;
}

static int64_t execute(uint32_t pc)
{
    uint32_t returns[MOST_CALLS];
    uint8_t windows[MOST_CALLS];
    struct value *base = registers;
    int depth = 0;

    for (;;) {
        uint32_t word = code[pc++];
        struct value *a = &base[word >> 8 & 0xFF];
        struct value *b = &base[word >> 16 & 0xFF];
        struct value *c = &base[word >> 24];
        int8_t small = (int8_t)(word >> 24);

        switch ((enum op)(word & 0xFF)) {
        case MOVE:
            *a = *b;
            break;
        case LOAD:
            set(a, INTEGER, (int16_t)(word >> 16));
            break;
        case ADD:
            set(a, INTEGER, number_of(b) + number_of(c));
            break;
        case SUB:
            set(a, INTEGER, number_of(b) - number_of(c));
            break;
        case MUL:
            set(a, INTEGER, (int64_t)((uint64_t)number_of(b) * (uint64_t)number_of(c)));
            break;
        case ADD_K:
            set(a, INTEGER, number_of(b) + small);
            break;
        case MUL_K:
            set(a, INTEGER, number_of(b) * small);
            break;
        case AND_K:
            set(a, INTEGER, number_of(b) & small);
            break;
        case LESS:
            set(a, BOOLEAN, number_of(b) < number_of(c));
            break;
        case LESS_K:
            set(a, BOOLEAN, number_of(b) < small);
            break;
        case IF_NOT:
            if (a->tag == BOOLEAN && a->number == 0) {
                pc = word >> 16;
            }
            break;
        case JUMP:
            pc = word >> 16;
            break;
        case GET:
            *a = find(b)->value;
            break;
        case SET: {
            struct entry *entry = find(a);
            entry->key = *a;
            entry->value = *b;
            break;
        }
        case CALL:
            returns[depth] = pc;
            windows[depth++] = (uint8_t)(a - base);
            base = a;
            pc = word >> 16;
            break;
        case RETURN:
            base[0] = *a;
            if (depth == 0) {
                return number_of(base);
            }
            base -= windows[--depth];
            pc = returns[depth];
            break;
        }
    }
}

uint64_t run_bytecode(uint32_t seed)
{
    for (int i = 0; i < TABLE_SIZE; i++) {
        table[i].key.tag = NIL;
        table[i].value.tag = NIL;
    }
    set(&registers[0], INTEGER, 15 + (int64_t)(seed & 1));
    return (uint64_t)execute(MAIN);
}
