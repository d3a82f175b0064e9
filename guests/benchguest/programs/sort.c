// SPDX-License-Identifier: Apache-2.0
//
// Sorts numbers in place, and texts through pointers and a comparison that is
// called.

#include "programs.h"

#include <stdlib.h>
#include <string.h>

#define NUMBERS 2000
#define TEXTS 300
#define TEXT_SIZE 12
#define SHORT_RANGE 12

static uint32_t numbers[NUMBERS];
static char texts[TEXTS][TEXT_SIZE];
static const char *order[TEXTS];

static void sort_short(uint32_t *from, int count)
{
    for (int i = 1; i < count; i++) {
        uint32_t value = from[i];
        int at = i;

        for (; at > 0 && from[at - 1] > value; at--) {
            from[at] = from[at - 1];
        }
        from[at] = value;
    }
}

static void sort_numbers(uint32_t *from, int count)
{
    while (count > SHORT_RANGE) {
        uint32_t pivot = from[count / 2];
        int low = 0;
        int high = count - 1;

        while (low <= high) {
            while (from[low] < pivot) {
                low++;
            }
            while (from[high] > pivot) {
                high--;
            }
            if (low <= high) {
                uint32_t value = from[low];

                from[low++] = from[high];
                from[high--] = value;
            }
        }
        sort_numbers(from, high + 1);
        from += low;
        count -= low;
    }
    sort_short(from, count);
}

static int compare(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

uint64_t run_sort(uint32_t seed)
{
    uint64_t sum = 0;

    for (int i = 0; i < NUMBERS; i++) {
        numbers[i] = next_number(&seed);
    }
    for (int i = 0; i < TEXTS; i++) {
        for (int k = 0; k < TEXT_SIZE - 1; k++) {
            texts[i][k] = (char)('a' + next_number(&seed) % (k < 4 ? 2 : 26));
        }
        texts[i][TEXT_SIZE - 1] = '\0';
        order[i] = texts[i];
    }
    sort_numbers(numbers, NUMBERS);
    qsort(order, TEXTS, sizeof order[0], compare);
    for (int i = 0; i < NUMBERS; i++) {
        sum = sum * 31 + numbers[i];
    }
    for (int i = 0; i < TEXTS; i++) {
        sum = sum * 31 + (uint8_t)order[i][7];
    }
    return sum;
}
