#include "api/json_number.h"

#include <stdlib.h>
#include <string.h>

enum { MANTISSA_DIGITS = 19, POWER_MAX = 22, EXPONENT_CLAMP = 100000 };

static const double powers[POWER_MAX + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                             1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                             1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static inline bool is_digit(const char *at, const char *end)
{
    return at < end && (unsigned)(*at - '0') < 10;
}

static const uint64_t int_powers[9] = {1,      10,      100,      1000,     10000,
                                       100000, 1000000, 10000000, 100000000};

/* How many of the eight bytes at `at` are digits before the first other byte, and their value. No
 * branch depends on the digits: numbers of varying length would mispredict one a number.
 * Source: Lemire, "Number parsing at a gigabyte per second", 2021. Our difference: fewer than eight
 * digits are shifted up, so that zeros lead. */
static inline int eight_digits(const char *at, uint64_t *value)
{
    uint64_t t;
    memcpy(&t, at, sizeof t);
    t ^= 0x3030303030303030; /* '0'..'9' become 0..9 */
    uint64_t other = ((t + 0x7676767676767676) | t) & 0x8080808080808080;
    int n = other ? __builtin_ctzll(other) / 8 : 8;
    if (n == 0) return 0;
    t <<= 8 * (8 - n);
    t = t * 10 + (t >> 8);
    *value = ((t & 0x000000ff000000ff) * 0x000f424000000064 +
              (t >> 16 & 0x000000ff000000ff) * 0x0000271000000001) >>
             32;
    return n;
}

/* Digits into the mantissa; returns behind them. `digits` counts the significant ones. */
static inline const char *scan_digits(const char *at, const char *end, clv_json_number *n,
                                      int *digits)
{
    uint64_t mantissa = n->mantissa;
    int count = *digits, step = 8;
    if (mantissa == 0)
        while (at < end && *at == '0') at++;
    while (step == 8 && end - at >= 8 && count + 8 <= MANTISSA_DIGITS) {
        uint64_t value = 0;
        step = eight_digits(at, &value);
        mantissa = mantissa * int_powers[step] + value;
        count += step;
        at += step;
    }
    for (; count < MANTISSA_DIGITS && is_digit(at, end); at++, count++)
        mantissa = mantissa * 10 + (uint64_t)(*at - '0');
    *digits = count;
    n->mantissa = mantissa;
    if (is_digit(at, end)) n->whole = false;
    while (is_digit(at, end)) at++;
    return at;
}

static const char *scan_exponent(const char *at, const char *end, int *exponent)
{
    bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+')) at++;
    if (!is_digit(at, end)) return NULL;
    int value = 0;
    for (; is_digit(at, end); at++)
        if (value < EXPONENT_CLAMP) value = value * 10 + (*at - '0');
    *exponent += negative ? -value : value;
    return at;
}

bool clv_json_number_scan(const char *at, const char *end, clv_json_number *out)
{
    /* Filled in place: a copy of fields just written would stall on store forwarding. */
    clv_json_number *n = out;
    const char *text = at;
    int digits = 0;
    n->text = at;
    n->integer = n->whole = true;
    n->negative = false;
    n->mantissa = 0;
    n->exponent = 0;
    if (at < end && *at == '-') n->negative = true, at++;
    if (!is_digit(at, end)) return false;
    const char *first = at;
    at = scan_digits(at, end, n, &digits);
    if (*first == '0' && at - first > 1) return false;
    if (at < end && *at == '.') {
        if (!is_digit(++at, end)) return false;
        first = at;
        at = scan_digits(at, end, n, &digits);
        n->exponent = -(int)(at - first < EXPONENT_CLAMP ? at - first : EXPONENT_CLAMP);
        n->integer = false;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        if (!(at = scan_exponent(at + 1, end, &n->exponent))) return false;
        n->integer = false;
    }
    n->bytes = (size_t)(at - text);
    return n->bytes <= CLV_JSON_NUMBER_MAX;
}

/* strtod wants an end mark. The program never leaves the C locale. */
static double slow_double(const clv_json_number *n)
{
    char text[CLV_JSON_NUMBER_MAX + 1];
    memcpy(text, n->text, n->bytes);
    text[n->bytes] = 0;
    return strtod(text, NULL);
}

static float slow_float(const clv_json_number *n)
{
    char text[CLV_JSON_NUMBER_MAX + 1];
    memcpy(text, n->text, n->bytes);
    text[n->bytes] = 0;
    return strtof(text, NULL);
}

static inline double scaled(double mantissa, int exponent)
{
    return exponent < 0 ? mantissa / powers[-exponent] : mantissa * powers[exponent];
}

double clv_json_number_double(const clv_json_number *n)
{
    if (!n->whole || n->mantissa > (uint64_t)1 << 53 || n->exponent < -POWER_MAX ||
        n->exponent > POWER_MAX)
        return slow_double(n);
    double value = scaled((double)n->mantissa, n->exponent);
    return n->negative ? -value : value;
}

float clv_json_number_float(const clv_json_number *n)
{
    if (!n->whole || n->exponent < -POWER_MAX || n->exponent > POWER_MAX) return slow_float(n);
    double value = scaled((double)n->mantissa, n->exponent); /* off by at most two steps */
    if (value != 0 && (value < 1e-37 || value > 1e38)) return slow_float(n);
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint64_t below = bits & 0x1fffffff; /* what a float has no room for; its middle is 0x10000000 */
    if (below - 0x0ffffff8 <= 16) return slow_float(n);
    return (float)(n->negative ? -value : value);
}

bool clv_json_number_int(const clv_json_number *n, int64_t min, uint64_t max, uint64_t *bits)
{
    if (!n->integer) return false;
    uint64_t v = n->mantissa;
    if (!n->whole) { /* twenty digits may still fit 64 bits */
        if (n->negative || n->bytes != 20) return false;
        unsigned last = (unsigned)(n->text[19] - '0');
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, last, &v)) return false;
    }
    if (n->negative ? v > (uint64_t)0 - (uint64_t)min : v > max) return false;
    *bits = n->negative ? (uint64_t)0 - v : v;
    return true;
}
