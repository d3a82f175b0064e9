// SPDX-License-Identifier: Apache-2.0

#include "../runtime/seed.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int errno;

// The magnitude and the sign of a number in the notation of strtol.
static unsigned long parse(const char *text, char **end, int base, bool *negative, bool *overflow)
{
    const char *at = text;
    unsigned long value = 0;
    bool any = false;

    *negative = false;
    *overflow = false;
    while (isspace((unsigned char)*at)) {
        at++;
    }
    if (*at == '+' || *at == '-') {
        *negative = *at++ == '-';
    }
    if ((base == 0 || base == 16) && at[0] == '0' && tolower(at[1]) == 'x' &&
        isxdigit((unsigned char)at[2])) {
        at += 2;
        base = 16;
    } else if (base == 0) {
        base = *at == '0' ? 8 : 10;
    }
    for (;; at++) {
        int digit = isdigit((unsigned char)*at)   ? *at - '0'
                    : isalpha((unsigned char)*at) ? tolower(*at) - 'a' + 10
                                                  : INT_MAX;
        if (digit >= base) {
            break;
        }
        any = true;
        *overflow |= __builtin_mul_overflow(value, (unsigned long)base, &value);
        *overflow |= __builtin_add_overflow(value, (unsigned long)digit, &value);
    }
    if (end != NULL) {
        *end = (char *)(any ? at : text);
    }
    return value;
}

unsigned long strtoul(const char *restrict text, char **restrict end, int base)
{
    bool negative, overflow;
    unsigned long value = parse(text, end, base, &negative, &overflow);
    if (overflow) {
        errno = ERANGE;
        return ULONG_MAX;
    }
    return negative ? -value : value;
}

long strtol(const char *restrict text, char **restrict end, int base)
{
    bool negative, overflow;
    unsigned long value = parse(text, end, base, &negative, &overflow);
    unsigned long limit = (unsigned long)LONG_MAX + negative;
    if (overflow || value > limit) {
        errno = ERANGE;
        value = limit;
    }
    return (long)(negative ? -value : value);
}

long long strtoll(const char *restrict text, char **restrict end, int base)
{
    return strtol(text, end, base);
}

unsigned long long strtoull(const char *restrict text, char **restrict end, int base)
{
    return strtoul(text, end, base);
}

int atoi(const char *text)
{
    return (int)strtol(text, NULL, 10);
}

long atol(const char *text)
{
    return strtol(text, NULL, 10);
}

long long atoll(const char *text)
{
    return strtol(text, NULL, 10);
}

int abs(int value)
{
    return value < 0 ? -value : value;
}

long labs(long value)
{
    return value < 0 ? -value : value;
}

long long llabs(long long value)
{
    return value < 0 ? -value : value;
}

static uint64_t random_state;

void srand(unsigned seed)
{
    // Otherwise the seed that waits since a restore would replace this one.
    hl_take_new_seed();
    random_state = seed;
}

int rand(void)
{
    hl_take_new_seed();
    random_state = random_state * 6364136223846793005UL + 1442695040888963407UL;
    return (int)(random_state >> 33);
}

static void swap(char *left, char *right, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        char byte = left[i];
        left[i] = right[i];
        right[i] = byte;
    }
}

static void sift_down(char *base, size_t root, size_t count, size_t size,
                      int (*compare)(const void *, const void *))
{
    for (;;) {
        size_t child = 2 * root + 1;
        if (child >= count) {
            return;
        }
        if (child + 1 < count && compare(base + child * size, base + (child + 1) * size) < 0) {
            child++;
        }
        if (compare(base + root * size, base + child * size) >= 0) {
            return;
        }
        swap(base + root * size, base + child * size, size);
        root = child;
    }
}

// Heap sort: no recursion and no worst case.
void qsort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *))
{
    for (size_t root = count / 2; root > 0; root--) {
        sift_down(base, root - 1, count, size, compare);
    }
    for (size_t end = count; end > 1; end--) {
        swap(base, (char *)base + (end - 1) * size, size);
        sift_down(base, 0, end - 1, size, compare);
    }
}

void *bsearch(const void *key, const void *base, size_t count, size_t size,
              int (*compare)(const void *, const void *))
{
    const char *first = base;
    while (count > 0) {
        const char *middle = first + count / 2 * size;
        int order = compare(key, middle);
        if (order == 0) {
            return (void *)middle;
        }
        if (order > 0) {
            first = middle + size;
            count--;
        }
        count /= 2;
    }
    return NULL;
}
