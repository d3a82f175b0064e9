// SPDX-License-Identifier: Apache-2.0
//
// Writes a document of records as JSON, and parses it into a tree.

#include "programs.h"

#include <stddef.h>
#include <string.h>

#define TEXT_SIZE 16384
#define RECORDS 100
#define MOST_VALUES 1200

enum kind { NONE, NUMBER, TEXT, BOOLEAN, LIST, OBJECT };

struct value {
    enum kind kind;
    int64_t number;
    const char *text;
    size_t length;
    const char *name;
    size_t name_length;
    struct value *first;
    struct value *next;
};

static char text[TEXT_SIZE];
static struct value values[MOST_VALUES];
static int value_count;
static const char *at;

static char *put(char *to, const char *what)
{
    size_t length = strlen(what);

    memcpy(to, what, length);
    return to + length;
}

static char *put_number(char *to, uint32_t number)
{
    char digits[12];
    int count = 0;

    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    while (count > 0) {
        *to++ = digits[--count];
    }
    return to;
}

static void write_document(uint32_t seed)
{
    char *to = put(text, "[");

    for (int i = 0; i < RECORDS; i++) {
        to = put(to, i == 0 ? "{\"id\": " : ",\n {\"id\": ");
        to = put_number(to, next_number(&seed));
        to = put(to, ", \"name\": \"guest \\\"number\\\" ");
        to = put_number(to, (uint32_t)i);
        to = put(to, "\", \"ready\": ");
        to = put(to, next_number(&seed) % 2 == 0 ? "true" : "false");
        to = put(to, ", \"sizes\": [");
        for (int k = 0; k < 4; k++) {
            to = put(to, k == 0 ? "-" : ", ");
            to = put_number(to, next_number(&seed) % 5000);
        }
        to = put(to, "]}");
    }
    *put(to, "]") = '\0';
}

static void skip_space(void)
{
    while (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r') {
        at++;
    }
}

static int accept(char c)
{
    skip_space();
    if (*at != c) {
        return 0;
    }
    at++;
    return 1;
}

// A text between quotes, as it is written.
static const char *parse_text(size_t *length)
{
    const char *start = at;

    while (*at != '"' && *at != '\0') {
        at += *at == '\\' ? 2 : 1;
    }
    *length = (size_t)(at - start);
    at++;
    return start;
}

static struct value *parse(void);

static void parse_members(struct value *parent, char end)
{
    struct value **link = &parent->first;

    while (!accept(end)) {
        const char *name = NULL;
        size_t length = 0;

        if (end == '}' && accept('"')) {
            name = parse_text(&length);
            accept(':');
        }
        *link = parse();
        (*link)->name = name;
        (*link)->name_length = length;
        link = &(*link)->next;
        accept(',');
    }
}

static void parse_number(struct value *value)
{
    int is_negative = accept('-');

    value->kind = NUMBER;
    while (*at >= '0' && *at <= '9') {
        value->number = value->number * 10 + (*at++ - '0');
    }
    value->number = is_negative ? -value->number : value->number;
}

static struct value *parse(void)
{
    struct value *value = &values[value_count++];

    memset(value, 0, sizeof *value);
    if (accept('{')) {
        value->kind = OBJECT;
        parse_members(value, '}');
    } else if (accept('[')) {
        value->kind = LIST;
        parse_members(value, ']');
    } else if (accept('"')) {
        value->kind = TEXT;
        value->text = parse_text(&value->length);
    } else if (strncmp(at, "true", 4) == 0 || strncmp(at, "false", 5) == 0) {
        value->kind = BOOLEAN;
        value->number = *at == 't';
        at += *at == 't' ? 4 : 5;
    } else {
        parse_number(value);
    }
    return value;
}

static uint64_t sum_of(const struct value *value)
{
    uint64_t sum = (uint64_t)value->number + value->length * 3 + value->name_length;

    for (const struct value *child = value->first; child != NULL; child = child->next) {
        sum = sum * 7 + sum_of(child) + (uint64_t)child->kind;
    }
    return sum;
}

uint64_t run_json(uint32_t seed)
{
    write_document(seed);
    at = text;
    value_count = 0;
    return sum_of(parse());
}
