// SPDX-License-Identifier: Apache-2.0
//
// Compression by references to what came before: a run of literals, then a
// distance of two bytes and a length.

#include "programs.h"

#include <stddef.h>
#include <string.h>

#define TEXT_SIZE 16384
#define SHORTEST 4
#define LONGEST 255
#define HASH_BITS 12

static uint8_t text[TEXT_SIZE];
static uint8_t packed[TEXT_SIZE + TEXT_SIZE / 64 + 16];
static uint8_t unpacked[TEXT_SIZE];
static uint16_t heads[1 << HASH_BITS];

static void fill(uint32_t seed)
{
    static const char *const words[] = { "the ", "guest ", "calls ", "a ", "function ", "of ", "its ", "host, ", "which ", "returns " };
    size_t at = 0;

    while (at + 16 < TEXT_SIZE) {
        const char *word = words[next_number(&seed) % 10];
        size_t length = strlen(word);

        memcpy(text + at, word, length);
        at += length;
        if (next_number(&seed) % 8 == 0) {
            text[at++] = (uint8_t)next_number(&seed);
        }
    }
    memset(text + at, '.', TEXT_SIZE - at);
}

static uint32_t load(const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof value);
    return value;
}

static size_t put_literals(size_t out, size_t from, size_t end)
{
    while (from < end) {
        size_t count = end - from < 127 ? end - from : 127;

        packed[out++] = (uint8_t)count;
        memcpy(packed + out, text + from, count);
        out += count;
        from += count;
    }
    return out;
}

static size_t compress(void)
{
    size_t out = 0;
    size_t literals = 0;
    size_t at = 0;

    memset(heads, 0, sizeof heads);
    while (at + SHORTEST <= TEXT_SIZE) {
        uint32_t hash = load(text + at) * 2654435761u >> (32 - HASH_BITS);
        size_t candidate = heads[hash];
        size_t length = 0;

        heads[hash] = (uint16_t)at;
        if (candidate < at && load(text + candidate) == load(text + at)) {
            while (length < LONGEST && at + length < TEXT_SIZE && text[candidate + length] == text[at + length]) {
                length++;
            }
        }
        if (length < SHORTEST) {
            at++;
            continue;
        }
        out = put_literals(out, literals, at);
        packed[out++] = 0x80;
        packed[out++] = (uint8_t)length;
        packed[out++] = (uint8_t)(at - candidate);
        packed[out++] = (uint8_t)((at - candidate) >> 8);
        at += length;
        literals = at;
    }
    return put_literals(out, literals, TEXT_SIZE);
}

static size_t decompress(size_t size)
{
    size_t out = 0;

    for (size_t at = 0; at < size;) {
        uint8_t token = packed[at++];

        if (token < 0x80) {
            memcpy(unpacked + out, packed + at, token);
            at += token;
            out += token;
            continue;
        }
        size_t distance = packed[at + 1] | (size_t)packed[at + 2] << 8;
        for (size_t length = packed[at]; length > 0; length--, out++) {
            unpacked[out] = unpacked[out - distance];
        }
        at += 3;
    }
    return out;
}

uint64_t run_lz(uint32_t seed)
{
    fill(seed);
    size_t size = compress();
    size_t whole = decompress(size);
    return whole == TEXT_SIZE && memcmp(text, unpacked, TEXT_SIZE) == 0 ? size : 0;
}
