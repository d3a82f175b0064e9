// SPDX-License-Identifier: Apache-2.0

#include "system_calls.h"

#include "errors.h"

#include <stddef.h>
#include <string.h>

// ENOSYS is what the C library expects of it.
#define NUMBER_RSEQ 334

typedef int64_t (*implementation)(const uint64_t arguments[6]);

static const implementation implementations[SYSTEM_CALL_NUMBERS] = {
#define IMPLEMENTED(number, name, note) [number] = system_call_##name,
#define MISSING(number, name)
#include "system_calls.def"
#undef IMPLEMENTED
#undef MISSING
};

static const char *const names[SYSTEM_CALL_NUMBERS] = {
#define IMPLEMENTED(number, name, note) [number] = #name,
#define MISSING(number, name) [number] = #name,
#include "system_calls.def"
#undef IMPLEMENTED
#undef MISSING
};

static uint32_t missing[SYSTEM_CALL_NUMBERS + 1];

// Of all processes.
static struct {
    uint64_t count, limit;
    bool is_one_missing;
} calls;

bool system_call_may_begin(void)
{
    if (calls.count == calls.limit) {
        return false;
    }
    calls.count++;
    return true;
}

uint64_t system_calls_count(void)
{
    return calls.count;
}

int64_t system_call(uint64_t number, const uint64_t arguments[6])
{
    if (number < SYSTEM_CALL_NUMBERS && implementations[number] != NULL) {
        int64_t result = implementations[number](arguments);
        // What only a part of is there is counted as well.
        if (result != -ENOSYS || number == NUMBER_RSEQ) {
            return result;
        }
    }
    calls.is_one_missing = true;
    uint32_t *count = &missing[number < SYSTEM_CALL_NUMBERS ? number : SYSTEM_CALL_NUMBERS];
    if (*count != UINT32_MAX) {
        ++*count;
    }
    return -ENOSYS;
}

bool is_call_missing(void)
{
    return calls.is_one_missing;
}

uint32_t missing_calls(uint32_t number)
{
    return missing[number];
}

void system_calls_start(uint64_t limit)
{
    calls.count = 0;
    calls.limit = limit;
    calls.is_one_missing = false;
    memset(missing, 0, sizeof missing);
}

const char *system_call_name(uint32_t number)
{
    return number < SYSTEM_CALL_NUMBERS ? names[number] : NULL;
}
