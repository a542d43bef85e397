/* See number.h. Up to 2^53 over a power of ten that is a double, one division rounds
   correctly (Clinger, PLDI 1990); the rest is for the C library, in its own locale. */
#define _GNU_SOURCE
#include "number.h"

#include <locale.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { FAST_DIGITS = 18, FAST_DECIMALS = 22, LONGEST = 350 };

static const double SAFE_VALUE = 1e200;
static const uint64_t EXACT = UINT64_C(1) << 53;
static const double TENS[FAST_DECIMALS + 1] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
};

static locale_t plain;

bool number_setup(void)
{
    if (plain == (locale_t)0)
        plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    return plain != (locale_t)0;
}

static bool read_any(const char *text, size_t length, double *value)
{
    char copy[LONGEST + 1];
    if (length > LONGEST)
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    *value = strtod_l(copy, NULL, plain);
    return *value < SAFE_VALUE;
}

bool number_read(const char *text, size_t length, bool may_be_negative, double *value)
{
    bool negative = may_be_negative && length > 0 && text[0] == '-';
    text += negative;
    length -= negative;

    uint64_t mantissa = 0;
    size_t digits = 0, dot = length;
    for (size_t at = 0; at < length; at++) {
        unsigned digit = (unsigned char)text[at] - (unsigned)'0';
        if (digit <= 9) {
            digits++;
            if (digits <= FAST_DIGITS)
                mantissa = mantissa * 10 + digit;
        } else if (text[at] == '.' && dot == length) {
            dot = at;
        } else {
            return false;
        }
    }
    if (digits == 0)
        return false;
    size_t decimals = dot == length ? 0 : length - dot - 1;
    if (digits <= FAST_DIGITS && mantissa <= EXACT)
        *value = decimals ? (double)mantissa / TENS[decimals] : (double)mantissa;
    else if (!read_any(text, length, value))
        return false;
    if (negative)
        *value = -*value;
    return true;
}
