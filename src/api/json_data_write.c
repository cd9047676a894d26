#include "api/json_data.h"
#include "api/json_number.h"
#include "api/json_string.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_ROOM = 32 };

enum { FIXED_DECIMALS_MAX = 13 };
static const uint64_t tens[FIXED_DECIMALS_MAX + 1] = {
    1ULL,           10ULL,           100ULL,           1000ULL,          10000ULL,
    100000ULL,      1000000ULL,      10000000ULL,      100000000ULL,     1000000000ULL,
    10000000000ULL, 100000000000ULL, 1000000000000ULL, 10000000000000ULL};

/* "123.45" from 12345 and two decimals, without trailing zeros; returns the end. */
static char *put_fixed(char *at, uint64_t mantissa, int decimals)
{
    for (; decimals > 0 && mantissa % 10 == 0; decimals--) mantissa /= 10;
    char digits[NUMBER_ROOM];
    int n = 0;
    for (; mantissa || n <= decimals; mantissa /= 10) digits[n++] = (char)('0' + mantissa % 10);
    while (n > 0) {
        if (n == decimals) *at++ = '.';
        *at++ = digits[--n];
    }
    *at = 0;
    return at;
}

/* The value with `precision` digits in fixed notation; false if it would read back as another. */
static bool put_rounded(char *text, float value, int exponent, int precision)
{
    int decimals = precision - 1 - exponent;
    if (decimals < 0 || decimals > FIXED_DECIMALS_MAX) return false;
    double magnitude = fabs((double)value);
    char *at = text;
    if (value < 0) *at++ = '-';
    at = put_fixed(at, (uint64_t)(magnitude * (double)tens[decimals] + 0.5), decimals);
    clv_json_number n;
    return clv_json_number_scan(text, at, &n) && clv_json_number_float(&n) == value;
}

/* printf is exact and slow (a quarter of a microsecond): it does what is very small or large. */
static void put_float(clv_buf *out, float value)
{
    char text[NUMBER_ROOM];
    double magnitude = fabs((double)value);
    int exponent = -5;
    if (magnitude >= 1e-5 && magnitude < 1e9) {
        for (double power = 1e-4; power <= magnitude; power *= 10) exponent++;
        if (put_rounded(text, value, exponent, 7) || put_rounded(text, value, exponent, 9)) {
            clv_buf_text(out, text);
            return;
        }
    }
    snprintf(text, sizeof text, "%.7g", (double)value);
    if (strtof(text, NULL) != value) snprintf(text, sizeof text, "%.9g", (double)value);
    clv_buf_text(out, text);
}

static void put_double(clv_buf *out, double value)
{
    char text[NUMBER_ROOM];
    snprintf(text, sizeof text, "%.15g", value);
    if (strtod(text, NULL) != value) snprintf(text, sizeof text, "%.17g", value);
    clv_buf_text(out, text);
}

static clv_status put_real(clv_buf *out, const clv_tensor *t, size_t i, clv_error *err)
{
    float narrow = 0;
    double wide = 0;
    const uint8_t *data = t->data;
    if (t->dtype == CLV_F32)
        memcpy(&narrow, data + i * sizeof narrow, sizeof narrow);
    else
        memcpy(&wide, data + i * sizeof wide, sizeof wide);
    if (!isfinite(narrow) || !isfinite(wide))
        return clv_fail(err, CLV_EUNSUPPORTED,
                        "element %zu is %s, which JSON cannot say: ask for binary data", i,
                        isnan(narrow) || isnan(wide) ? "NaN" : "infinite");
    if (t->dtype == CLV_F32)
        put_float(out, narrow);
    else
        put_double(out, wide);
    return CLV_OK;
}

static void put_integer(clv_buf *out, const clv_tensor *t, size_t i)
{
    size_t bytes = clv_dtype_bytes(t->dtype);
    uint64_t bits = 0;
    memcpy(&bits, (const uint8_t *)t->data + i * bytes, bytes);
    char text[NUMBER_ROOM];
    switch (t->dtype) {
    case CLV_BOOL: snprintf(text, sizeof text, "%s", bits ? "true" : "false"); break;
    case CLV_I8: snprintf(text, sizeof text, "%d", (int8_t)bits); break;
    case CLV_I16: snprintf(text, sizeof text, "%d", (int16_t)bits); break;
    case CLV_I32: snprintf(text, sizeof text, "%" PRId32, (int32_t)bits); break;
    case CLV_I64: snprintf(text, sizeof text, "%" PRId64, (int64_t)bits); break;
    default: snprintf(text, sizeof text, "%" PRIu64, bits);
    }
    clv_buf_text(out, text);
}

/* The serialisation has been checked (clv_tensor_check). */
static clv_status put_strings(clv_buf *out, const clv_tensor *t, clv_error *err)
{
    const char *at = t->data, *end = at + t->bytes;
    for (size_t i = 0; at < end; i++) {
        uint32_t length;
        memcpy(&length, at, sizeof length);
        if (i) clv_buf_char(out, ',');
        if (!clv_json_string_write(out, at + sizeof length, length))
            return clv_fail(err, CLV_EUNSUPPORTED,
                            "element %zu is not UTF-8, which JSON must be: ask for binary data", i);
        at += sizeof length + length;
    }
    return CLV_OK;
}

static clv_status put_elements(clv_buf *out, const clv_tensor *t, clv_error *err)
{
    size_t count;
    clv_status st = clv_tensor_check(t, err);
    if (!st) st = clv_shape_count(&t->shape, &count, err);
    if (st) return st;
    if (t->dtype == CLV_TEXT) return put_strings(out, t, err);
    bool real = t->dtype == CLV_F32 || t->dtype == CLV_F64;
    for (size_t i = 0; !st && i < count; i++) {
        if (i) clv_buf_char(out, ',');
        if (real)
            st = put_real(out, t, i, err);
        else
            put_integer(out, t, i);
    }
    return st;
}

clv_status clv_json_data_write(clv_buf *out, const clv_tensor *t, clv_error *err)
{
    if (t->dtype == CLV_F16 || t->dtype == CLV_BF16)
        return clv_fail(err, CLV_EUNSUPPORTED,
                        "tensor '%s': %s cannot be written in JSON: ask for binary data", t->name,
                        clv_dtype_oip(t->dtype));
    clv_buf_char(out, '[');
    clv_status st = put_elements(out, t, err);
    clv_buf_char(out, ']');
    return st ? clv_within(err, "tensor '%s'", t->name) : CLV_OK;
}
