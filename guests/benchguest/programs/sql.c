// SPDX-License-Identifier: Apache-2.0
//
// A small database: rows in a B-tree, and queries as text that are parsed to a
// tree of operators and evaluated for each row.

#include "btree.h"
#include "programs.h"

#include <stddef.h>
#include <string.h>

#define ROWS 400
#define MOST_TERMS 32

enum kind { NUMBER, TEXT, AMOUNT, AGE, KEY, OPERATOR };

struct term {
    enum kind kind;
    char operator;
    int64_t number;
    char text[KEY_SIZE];
    const struct term *left;
    const struct term *right;
};

struct query {
    const char *at;
    int term_count;
    struct term terms[MOST_TERMS];
};

struct answer {
    const struct term *value;
    const struct term *condition;
    int64_t sum;
    int64_t count;
};

static const char *const queries[] = {
    "amount * 2 + age | age < 40 & amount > 100",
    "amount | key > 'k0200' & key < 'k0300'",
    "age * age - amount | key > 'k0100' & age > 20 & amount < 900",
};

static struct query query;

static struct term *new_term(enum kind kind)
{
    struct term *term = &query.terms[query.term_count++ % MOST_TERMS];

    term->kind = kind;
    return term;
}

static int accept(const char *word)
{
    size_t length = strlen(word);

    while (*query.at == ' ') {
        query.at++;
    }
    if (strncmp(query.at, word, length) != 0) {
        return 0;
    }
    query.at += length;
    return 1;
}

static const struct term *parse_operand(void)
{
    struct term *term;

    if (accept("amount")) {
        return new_term(AMOUNT);
    }
    if (accept("age")) {
        return new_term(AGE);
    }
    if (accept("key")) {
        return new_term(KEY);
    }
    if (accept("'")) {
        size_t length = 0;

        term = new_term(TEXT);
        while (*query.at != '\'' && length < KEY_SIZE - 1) {
            term->text[length++] = *query.at++;
        }
        term->text[length] = '\0';
        query.at++;
        return term;
    }
    term = new_term(NUMBER);
    term->number = 0;
    while (*query.at >= '0' && *query.at <= '9') {
        term->number = term->number * 10 + (*query.at++ - '0');
    }
    return term;
}

// Operators of one level, from the loosest to the tightest.
static const struct term *parse(int level)
{
    static const char *const levels[] = { "&", "<>", "+-", "*" };
    const struct term *left;

    if (level == 4) {
        return parse_operand();
    }
    left = parse(level + 1);
    for (const char *operator = levels[level]; *operator != '\0';) {
        char word[2] = { *operator, '\0' };

        if (!accept(word)) {
            operator++;
            continue;
        }
        struct term *term = new_term(OPERATOR);
        term->operator = word[0];
        term->left = left;
        term->right = parse(level + 1);
        left = term;
        operator = levels[level];
    }
    return left;
}

static const char *text_of(const struct term *term, const struct row *row)
{
    return term->kind == KEY ? row->key : term->kind == TEXT ? term->text : NULL;
}

static int64_t evaluate(const struct term *term, const struct row *row)
{
    switch (term->kind) {
    case NUMBER:
        return term->number;
    case AMOUNT:
        return row->amount;
    case AGE:
        return row->age;
    case OPERATOR:
        break;
    default:
        return 0;
    }
    const char *text = text_of(term->left, row);
    if (text != NULL) {
        int order = strcmp(text, text_of(term->right, row));
        return term->operator == '<' ? order < 0 : order > 0;
    }
    int64_t left = evaluate(term->left, row);
    if (term->operator == '&' && left == 0) {
        return 0;
    }
    int64_t right = evaluate(term->right, row);
    switch (term->operator) {
    case '&':
        return right != 0;
    case '<':
        return left < right;
    case '>':
        return left > right;
    case '+':
        return left + right;
    case '-':
        return left - right;
    default:
        return left * right;
    }
}

static void visit(const struct row *row, void *state)
{
    struct answer *answer = state;

    if (evaluate(answer->condition, row) != 0) {
        answer->sum += evaluate(answer->value, row);
        answer->count++;
    }
}

uint64_t run_sql(uint32_t seed)
{
    uint64_t result = 0;

    tree_clear();
    for (int i = 0; i < ROWS; i++) {
        uint32_t number = next_number(&seed) % ROWS;
        char key[KEY_SIZE] = { 'k', (char)('0' + number / 1000), (char)('0' + number / 100 % 10),
                               (char)('0' + number / 10 % 10), (char)('0' + number % 10), '\0' };
        struct row *row = tree_row(key);

        row->amount += next_number(&seed) % 1000;
        row->age = next_number(&seed) % 80;
    }
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        struct answer answer = { 0 };

        query.at = queries[i];
        query.term_count = 0;
        answer.value = parse(0);
        accept("|");
        answer.condition = parse(0);
        tree_scan(visit, &answer);
        result = result * 1000003 + (uint64_t)(answer.sum * 31 + answer.count);
    }
    return result;
}
