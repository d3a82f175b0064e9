// SPDX-License-Identifier: Apache-2.0
//
// Bulk memory functions. String instructions move eight bytes per step and cost
// one instruction fetch altogether, which matters where a hypervisor emulates
// the guest instruction by instruction.

#include <stdint.h>
#include <string.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    void *destination = to;
    size_t words = size / 8;
    size_t rest = size % 8;
    __asm__ volatile("rep movsq" : "+D"(destination), "+S"(from), "+c"(words) : : "memory");
    if (rest != 0) {
        __asm__ volatile("rep movsb" : "+D"(destination), "+S"(from), "+c"(rest) : : "memory");
    }
    return to;
}

void *memset(void *to, int byte, size_t size)
{
    void *destination = to;
    size_t words = size / 8;
    size_t rest = size % 8;
    uint64_t pattern = (uint8_t)byte * 0x0101010101010101UL;
    __asm__ volatile("rep stosq" : "+D"(destination), "+c"(words) : "a"(pattern) : "memory");
    if (rest != 0) {
        __asm__ volatile("rep stosb" : "+D"(destination), "+c"(rest) : "a"(pattern) : "memory");
    }
    return to;
}

void *memmove(void *to, const void *from, size_t size)
{
    if ((uintptr_t)to - (uintptr_t)from >= size) {
        return memcpy(to, from, size);
    }
    // The end of the source would be overwritten before it is read: go backwards.
    char *destination = (char *)to + size - 1;
    const char *source = (const char *)from + size - 1;
    __asm__ volatile("std\n\trep movsb\n\tcld"
                     : "+D"(destination), "+S"(source), "+c"(size)
                     :
                     : "memory");
    return to;
}

int memcmp(const void *left, const void *right, size_t size)
{
    const unsigned char *a = left;
    const unsigned char *b = right;
    for (; size >= 8; size -= 8, a += 8, b += 8) {
        uint64_t x, y;
        __builtin_memcpy(&x, a, 8);
        __builtin_memcpy(&y, b, 8);
        if (x != y) {
            size = 8;
            break;
        }
    }
    for (; size != 0; size--, a++, b++) {
        if (*a != *b) {
            return *a - *b;
        }
    }
    return 0;
}

#define LOW_BITS 0x0101010101010101UL
#define HIGH_BITS 0x8080808080808080UL

// A word in which a byte is not zero where, at the lowest such place, `word` has
// a zero byte; zero if it has none.
static uint64_t zero_bytes(uint64_t word)
{
    return (word - LOW_BITS) & ~word & HIGH_BITS;
}

void *memchr(const void *data, int byte, size_t size)
{
    const unsigned char *at = data;
    uint64_t pattern = (uint8_t)byte * LOW_BITS;
    for (; size >= 8; size -= 8, at += 8) {
        uint64_t word;
        __builtin_memcpy(&word, at, 8);
        if (zero_bytes(word ^ pattern) != 0) {
            size = 8;
            break;
        }
    }
    for (; size != 0; size--, at++) {
        if (*at == (uint8_t)byte) {
            return (void *)at;
        }
    }
    return NULL;
}

size_t strlen(const char *text)
{
    const char *at = text;
    // Aligned words only: they never reach into a page the text is not in.
    for (; (uintptr_t)at % 8 != 0; at++) {
        if (*at == '\0') {
            return (size_t)(at - text);
        }
    }
    for (;; at += 8) {
        uint64_t word;
        __builtin_memcpy(&word, at, 8);
        uint64_t zeros = zero_bytes(word);
        if (zeros != 0) {
            return (size_t)(at - text) + (size_t)__builtin_ctzl(zeros) / 8;
        }
    }
}
