// SPDX-License-Identifier: Apache-2.0
//
// The printf family. Compiled in the guest's own mode, because it takes variable
// arguments: see stdio.h about floating point.

#include "stream.h"

#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

// Where the text goes: a stream, or a buffer that may be too small.
struct sink {
    struct hl_stream *stream;
    char *buffer;
    size_t size;
    size_t total;
};

struct conversion {
    bool left;
    bool plus;
    bool space;
    bool alternate;
    bool zero;
    int width;
    // Negative if not given.
    int precision;
    char length;
    char type;
};

static void put(struct sink *sink, const char *text, size_t length)
{
    if (length == 0) {
        return;
    }
    if (sink->stream != NULL) {
        hl_stream_write(sink->stream, text, length);
    } else if (sink->total < sink->size) {
        size_t room = sink->size - sink->total;
        memcpy(sink->buffer + sink->total, text, length < room ? length : room);
    }
    sink->total += length;
}

static void pad(struct sink *sink, char byte, int count)
{
    for (; count > 0; count--) {
        put(sink, &byte, 1);
    }
}

// A sign or prefix, zeros and digits, padded to the width.
static void put_number(struct sink *sink, const struct conversion *conversion, const char *prefix,
                       int zeros, const char *digits, size_t length)
{
    int prefix_length = (int)strlen(prefix);
    int padding = conversion->width - prefix_length - zeros - (int)length;
    if (!conversion->left && !conversion->zero) {
        pad(sink, ' ', padding);
    }
    put(sink, prefix, (size_t)prefix_length);
    if (!conversion->left && conversion->zero) {
        pad(sink, '0', padding);
    }
    pad(sink, '0', zeros);
    put(sink, digits, length);
    if (conversion->left) {
        pad(sink, ' ', padding);
    }
}

static void put_integer(struct sink *sink, struct conversion *conversion, uint64_t value,
                        const char *prefix, unsigned base)
{
    const char *alphabet = conversion->type == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    char digits[22];
    char *first = digits + sizeof digits;

    for (; value != 0; value /= base) {
        *--first = alphabet[value % base];
    }
    int length = (int)(digits + sizeof digits - first);
    int wanted = conversion->precision < 0 ? 1 : conversion->precision;
    if (conversion->precision >= 0) {
        conversion->zero = false;
    }
    if (base == 8 && conversion->alternate && wanted <= length) {
        wanted = length + 1;
    }
    put_number(sink, conversion, prefix, wanted > length ? wanted - length : 0, first,
               (size_t)length);
}

static const char *sign_of(const struct conversion *conversion, bool negative)
{
    return negative ? "-" : conversion->plus ? "+" : conversion->space ? " " : "";
}

static void put_signed(struct sink *sink, struct conversion *conversion, int64_t value)
{
    uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;
    put_integer(sink, conversion, magnitude, sign_of(conversion, value < 0), 10);
}

static void put_unsigned(struct sink *sink, struct conversion *conversion, uint64_t value)
{
    switch (conversion->type) {
    case 'o':
        put_integer(sink, conversion, value, "", 8);
        break;
    case 'x':
        put_integer(sink, conversion, value, conversion->alternate && value != 0 ? "0x" : "", 16);
        break;
    case 'X':
        put_integer(sink, conversion, value, conversion->alternate && value != 0 ? "0X" : "", 16);
        break;
    default:
        put_integer(sink, conversion, value, "", 10);
    }
}

static void put_text(struct sink *sink, const struct conversion *conversion, const char *text)
{
    if (text == NULL) {
        text = "(null)";
    }
    size_t length =
        conversion->precision < 0 ? strlen(text) : strnlen(text, (size_t)conversion->precision);
    int padding = conversion->width - (int)length;
    if (!conversion->left) {
        pad(sink, ' ', padding);
    }
    put(sink, text, length);
    if (conversion->left) {
        pad(sink, ' ', padding);
    }
}

static void put_double(struct sink *sink, struct conversion *conversion, uint64_t bits)
{
    char digits[HL_FORMAT_DOUBLE_SIZE];
    int precision = conversion->precision < 0 ? 6 : conversion->precision;
    size_t length =
        hl_format_double(digits, bits, conversion->type, precision, conversion->alternate);
    if (isalpha((unsigned char)digits[0])) {
        conversion->zero = false;
    }
    put_number(sink, conversion, sign_of(conversion, bits >> 63), 0, digits, length);
}

#ifdef __SSE2__
#define NEXT_DOUBLE_BITS(arguments) \
    (((union { double number; uint64_t bits; }){ .number = va_arg(arguments, double) }).bits)
#else
#define NEXT_DOUBLE_BITS(arguments) va_arg(arguments, uint64_t)
#endif

// 'H' stands for hh, 'j' for everything of 64 bits.
static int64_t narrow_signed(char length, int64_t value)
{
    switch (length) {
    case 'H':
        return (signed char)value;
    case 'h':
        return (short)value;
    case 'j':
        return value;
    default:
        return (int)value;
    }
}

static uint64_t narrow_unsigned(char length, uint64_t value)
{
    switch (length) {
    case 'H':
        return (unsigned char)value;
    case 'h':
        return (unsigned short)value;
    case 'j':
        return value;
    default:
        return (unsigned)value;
    }
}

static int parse_number(const char **format)
{
    int value = 0;
    while (isdigit((unsigned char)**format)) {
        if (value < INT_MAX / 10 - 10) {
            value = 10 * value + (**format - '0');
        }
        (*format)++;
    }
    return value;
}

static void parse_flags(const char **format, struct conversion *conversion)
{
    for (;; (*format)++) {
        switch (**format) {
        case '-':
            conversion->left = true;
            break;
        case '+':
            conversion->plus = true;
            break;
        case ' ':
            conversion->space = true;
            break;
        case '#':
            conversion->alternate = true;
            break;
        case '0':
            conversion->zero = true;
            break;
        default:
            return;
        }
    }
}

static char parse_length(const char **format)
{
    switch (**format) {
    case 'h':
        (*format)++;
        if (**format == 'h') {
            (*format)++;
            return 'H';
        }
        return 'h';
    case 'l':
        (*format)++;
        if (**format == 'l') {
            (*format)++;
        }
        return 'j';
    case 'z':
    case 'j':
    case 't':
        (*format)++;
        return 'j';
    default:
        return 0;
    }
}

// A va_list as a parameter is a pointer; in a structure its position survives
// the calls between which it is passed.
struct arguments {
    va_list list;
};

static void convert(struct sink *sink, struct conversion *conversion, struct arguments *arguments)
{
    switch (conversion->type) {
    case 'd':
    case 'i':
        put_signed(sink, conversion,
                   narrow_signed(conversion->length, va_arg(arguments->list, int64_t)));
        break;
    case 'u':
    case 'o':
    case 'x':
    case 'X':
        put_unsigned(sink, conversion,
                     narrow_unsigned(conversion->length, va_arg(arguments->list, uint64_t)));
        break;
    case 'p':
        put_integer(sink, conversion, va_arg(arguments->list, uint64_t), "0x", 16);
        break;
    case 'c': {
        char byte = (char)va_arg(arguments->list, int);
        int padding = conversion->width - 1;
        pad(sink, ' ', conversion->left ? 0 : padding);
        put(sink, &byte, 1);
        pad(sink, ' ', conversion->left ? padding : 0);
        break;
    }
    case 's':
        put_text(sink, conversion, va_arg(arguments->list, const char *));
        break;
    case 'f':
    case 'F':
    case 'e':
    case 'E':
    case 'g':
    case 'G':
        put_double(sink, conversion, NEXT_DOUBLE_BITS(arguments->list));
        break;
    default:
        put(sink, "%", 1);
        if (conversion->type != '%' && conversion->type != '\0') {
            put(sink, &conversion->type, 1);
        }
    }
}

static void format_to(struct sink *sink, const char *format, struct arguments *arguments)
{
    while (*format != '\0') {
        size_t plain = strcspn(format, "%");
        put(sink, format, plain);
        format += plain;
        if (*format == '\0') {
            break;
        }
        format++;

        struct conversion conversion = { .precision = -1 };
        parse_flags(&format, &conversion);
        if (*format == '*') {
            format++;
            conversion.width = va_arg(arguments->list, int);
            if (conversion.width < 0) {
                conversion.left = true;
                conversion.width = -conversion.width;
            }
        } else {
            conversion.width = parse_number(&format);
        }
        if (*format == '.') {
            format++;
            if (*format == '*') {
                format++;
                conversion.precision = va_arg(arguments->list, int);
            } else {
                conversion.precision = parse_number(&format);
            }
        }
        conversion.length = parse_length(&format);
        conversion.type = *format;
        if (*format != '\0') {
            format++;
        }
        convert(sink, &conversion, arguments);
    }
}

int vfprintf(FILE *restrict stream, const char *restrict format, va_list list)
{
    struct sink sink = { .stream = stream };
    struct arguments arguments;
    va_copy(arguments.list, list);
    format_to(&sink, format, &arguments);
    va_end(arguments.list);
    hl_stream_end(stream);
    return ferror(stream) ? EOF : (int)sink.total;
}

int vsnprintf(char *restrict to, size_t size, const char *restrict format, va_list list)
{
    struct sink sink = { .buffer = to, .size = size };
    struct arguments arguments;
    va_copy(arguments.list, list);
    format_to(&sink, format, &arguments);
    va_end(arguments.list);
    if (size != 0) {
        to[sink.total < size ? sink.total : size - 1] = '\0';
    }
    return (int)sink.total;
}

int vprintf(const char *restrict format, va_list list)
{
    return vfprintf(stdout, format, list);
}

int vsprintf(char *restrict to, const char *restrict format, va_list list)
{
    return vsnprintf(to, INT_MAX, format, list);
}

int printf(const char *restrict format, ...)
{
    va_list list;
    va_start(list, format);
    int total = vfprintf(stdout, format, list);
    va_end(list);
    return total;
}

int fprintf(FILE *restrict stream, const char *restrict format, ...)
{
    va_list list;
    va_start(list, format);
    int total = vfprintf(stream, format, list);
    va_end(list);
    return total;
}

int snprintf(char *restrict to, size_t size, const char *restrict format, ...)
{
    va_list list;
    va_start(list, format);
    int total = vsnprintf(to, size, format, list);
    va_end(list);
    return total;
}

int sprintf(char *restrict to, const char *restrict format, ...)
{
    va_list list;
    va_start(list, format);
    int total = vsprintf(to, format, list);
    va_end(list);
    return total;
}
