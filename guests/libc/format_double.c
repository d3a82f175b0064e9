// SPDX-License-Identifier: Apache-2.0
//
// Decimal notation of a double, from its bit pattern and in integers only, so
// that it serves guests that have no floating point. Exact: the whole decimal
// expansion is made before it is rounded, to even on a tie.

#include "stream.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#define LIMB 1000000000U
#define LIMB_DIGITS 9
#define INTEGER_LIMBS 36
// Each halving by up to nine bits makes at most one more limb.
#define FRACTION_LIMBS 122
#define LIMBS (INTEGER_LIMBS + FRACTION_LIMBS)

struct decimal {
    // A zero in front leaves room for a carry.
    char digits[LIMBS * LIMB_DIGITS + 1];
    int count;
    // Digits before the decimal point.
    int point;
};

static int shift_left(uint32_t *limbs, int exponent)
{
    int first = INTEGER_LIMBS - 3;
    while (exponent > 0) {
        int bits = exponent < 29 ? exponent : 29;
        uint64_t carry = 0;
        for (int i = INTEGER_LIMBS - 1; i >= first; i--) {
            uint64_t value = ((uint64_t)limbs[i] << bits) + carry;
            limbs[i] = (uint32_t)(value % LIMB);
            carry = value / LIMB;
        }
        if (carry != 0) {
            limbs[--first] = (uint32_t)carry;
        }
        exponent -= bits;
    }
    return first;
}

// Nine bits at a time leave no remainder beyond one more limb.
static int shift_right(uint32_t *limbs, int exponent)
{
    int end = INTEGER_LIMBS;
    while (exponent > 0) {
        int bits = exponent < 9 ? exponent : 9;
        uint32_t carry = 0;
        for (int i = INTEGER_LIMBS - 3; i < end; i++) {
            uint32_t value = limbs[i];
            limbs[i] = (value >> bits) + carry;
            carry = (LIMB >> bits) * (value & ((1U << bits) - 1));
        }
        if (carry != 0) {
            limbs[end++] = carry;
        }
        exponent -= bits;
    }
    return end;
}

static void expand(struct decimal *decimal, uint64_t mantissa, int exponent)
{
    uint32_t limbs[LIMBS] = { 0 };
    limbs[INTEGER_LIMBS - 1] = (uint32_t)(mantissa % LIMB);
    limbs[INTEGER_LIMBS - 2] = (uint32_t)(mantissa / LIMB);
    int first = shift_left(limbs, exponent);
    int end = shift_right(limbs, -exponent);

    char *at = decimal->digits;
    *at++ = '0';
    for (int i = first; i < end; i++) {
        uint32_t value = limbs[i];
        for (int digit = LIMB_DIGITS - 1; digit >= 0; digit--) {
            at[digit] = (char)('0' + value % 10);
            value /= 10;
        }
        at += LIMB_DIGITS;
    }
    decimal->count = (int)(at - decimal->digits);
    decimal->point = 1 + (INTEGER_LIMBS - first) * LIMB_DIGITS;
}

static char digit_at(const struct decimal *decimal, int index)
{
    return index >= 0 && index < decimal->count ? decimal->digits[index] : '0';
}

static int first_significant(const struct decimal *decimal)
{
    for (int i = 0; i < decimal->count; i++) {
        if (decimal->digits[i] != '0') {
            return i;
        }
    }
    return decimal->point - 1;
}

// Keeps the first `keep` digits.
static void round_to(struct decimal *decimal, int keep)
{
    if (keep >= decimal->count) {
        return;
    }
    char next = decimal->digits[keep];
    bool up = next > '5';
    if (next == '5') {
        up = keep > 0 && (decimal->digits[keep - 1] - '0') % 2 != 0;
        for (int i = keep + 1; i < decimal->count && !up; i++) {
            up = decimal->digits[i] != '0';
        }
    }
    decimal->count = keep;
    for (int i = keep - 1; up && i >= 0; i--) {
        up = decimal->digits[i] == '9';
        decimal->digits[i] = up ? '0' : decimal->digits[i] + 1;
    }
}

static char *put_fraction(char *to, const struct decimal *decimal, int from, int precision,
                          bool keep_point, bool strip)
{
    while (strip && precision > 0 && digit_at(decimal, from + precision - 1) == '0') {
        precision--;
    }
    if (precision > 0 || keep_point) {
        *to++ = '.';
    }
    for (int i = 0; i < precision; i++) {
        *to++ = digit_at(decimal, from + i);
    }
    return to;
}

static char *put_fixed(char *to, struct decimal *decimal, int precision, bool keep_point,
                       bool strip)
{
    round_to(decimal, decimal->point + precision);
    int first = first_significant(decimal);
    if (first > decimal->point - 1) {
        first = decimal->point - 1;
    }
    for (int i = first; i < decimal->point; i++) {
        *to++ = digit_at(decimal, i);
    }
    return put_fraction(to, decimal, decimal->point, precision, keep_point, strip);
}

static char *put_exponential(char *to, struct decimal *decimal, int precision, char letter,
                             bool keep_point, bool strip)
{
    round_to(decimal, first_significant(decimal) + 1 + precision);
    int first = first_significant(decimal);
    int exponent = decimal->point - 1 - first;
    *to++ = digit_at(decimal, first);
    to = put_fraction(to, decimal, first + 1, precision, keep_point, strip);
    *to++ = letter;
    *to++ = exponent < 0 ? '-' : '+';
    exponent = exponent < 0 ? -exponent : exponent;
    if (exponent >= 100) {
        *to++ = (char)('0' + exponent / 100);
    }
    *to++ = (char)('0' + exponent / 10 % 10);
    *to++ = (char)('0' + exponent % 10);
    return to;
}

static char *put_general(char *to, struct decimal *decimal, int precision, char letter,
                         bool keep_zeros)
{
    precision = precision == 0 ? 1 : precision;
    round_to(decimal, first_significant(decimal) + precision);
    int exponent = decimal->point - 1 - first_significant(decimal);
    if (exponent < -4 || exponent >= precision) {
        return put_exponential(to, decimal, precision - 1, letter, keep_zeros, !keep_zeros);
    }
    return put_fixed(to, decimal, precision - 1 - exponent, keep_zeros, !keep_zeros);
}

size_t hl_format_double(char *to, uint64_t bits, char conversion, int precision, int keep_zeros)
{
    uint64_t mantissa = bits & 0xFFFFFFFFFFFFFUL;
    int exponent = bits >> 52 & 0x7FF;
    bool upper = isupper(conversion);

    if (exponent == 0x7FF) {
        memcpy(to, mantissa != 0 ? (upper ? "NAN" : "nan") : (upper ? "INF" : "inf"), 3);
        return 3;
    }
    if (exponent != 0) {
        mantissa |= 1UL << 52;
    } else {
        exponent = 1;
    }
    if (precision > HL_FORMAT_MAX_PRECISION) {
        precision = HL_FORMAT_MAX_PRECISION;
    }
    struct decimal decimal;
    expand(&decimal, mantissa, exponent - 1075);
    char *end;
    switch (tolower(conversion)) {
    case 'e':
        end = put_exponential(to, &decimal, precision, conversion, keep_zeros, false);
        break;
    case 'g':
        end = put_general(to, &decimal, precision, upper ? 'E' : 'e', keep_zeros);
        break;
    default:
        end = put_fixed(to, &decimal, precision, keep_zeros, false);
    }
    return (size_t)(end - to);
}
