// SPDX-License-Identifier: Apache-2.0

#include <stdlib.h>
#include <string.h>

size_t strnlen(const char *text, size_t limit)
{
    const char *end = memchr(text, '\0', limit);
    return end != NULL ? (size_t)(end - text) : limit;
}

char *strcpy(char *restrict to, const char *restrict from)
{
    return memcpy(to, from, strlen(from) + 1);
}

char *strncpy(char *restrict to, const char *restrict from, size_t size)
{
    size_t length = strnlen(from, size);
    memcpy(to, from, length);
    memset(to + length, 0, size - length);
    return to;
}

char *strcat(char *restrict to, const char *restrict from)
{
    strcpy(to + strlen(to), from);
    return to;
}

char *strncat(char *restrict to, const char *restrict from, size_t limit)
{
    size_t length = strnlen(from, limit);
    char *end = to + strlen(to);
    memcpy(end, from, length);
    end[length] = '\0';
    return to;
}

int strcmp(const char *left, const char *right)
{
    while (*left != '\0' && *left == *right) {
        left++;
        right++;
    }
    return (unsigned char)*left - (unsigned char)*right;
}

int strncmp(const char *left, const char *right, size_t limit)
{
    for (; limit != 0; limit--, left++, right++) {
        if (*left != *right || *left == '\0') {
            return (unsigned char)*left - (unsigned char)*right;
        }
    }
    return 0;
}

char *strchr(const char *text, int byte)
{
    for (; *text != (char)byte; text++) {
        if (*text == '\0') {
            return NULL;
        }
    }
    return (char *)text;
}

char *strrchr(const char *text, int byte)
{
    for (size_t i = strlen(text) + 1; i != 0; i--) {
        if (text[i - 1] == (char)byte) {
            return (char *)text + i - 1;
        }
    }
    return NULL;
}

char *strstr(const char *text, const char *part)
{
    size_t length = strlen(part);
    for (; strncmp(text, part, length) != 0; text++) {
        if (*text == '\0') {
            return NULL;
        }
    }
    return (char *)text;
}

size_t strspn(const char *text, const char *set)
{
    size_t length = 0;
    while (text[length] != '\0' && strchr(set, text[length]) != NULL) {
        length++;
    }
    return length;
}

size_t strcspn(const char *text, const char *set)
{
    size_t length = 0;
    while (text[length] != '\0' && strchr(set, text[length]) == NULL) {
        length++;
    }
    return length;
}

char *strpbrk(const char *text, const char *set)
{
    text += strcspn(text, set);
    return *text != '\0' ? (char *)text : NULL;
}

char *strtok_r(char *restrict text, const char *restrict set, char **restrict rest)
{
    char *token = text != NULL ? text : *rest;
    token += strspn(token, set);
    if (*token == '\0') {
        *rest = token;
        return NULL;
    }
    char *end = token + strcspn(token, set);
    *rest = *end == '\0' ? end : end + 1;
    *end = '\0';
    return token;
}

char *strtok(char *restrict text, const char *restrict set)
{
    static char *rest;
    return strtok_r(text, set, &rest);
}

char *strndup(const char *text, size_t limit)
{
    size_t length = strnlen(text, limit);
    char *copy = malloc(length + 1);
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(malloc(size), text, size);
}

char *strerror(int number)
{
    return number == 0 ? "no error" : "error";
}
