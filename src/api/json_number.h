/* Numbers of JSON, read exactly and fast. Private to json_data. */
#ifndef CLV_API_JSON_NUMBER_H
#define CLV_API_JSON_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CLV_JSON_NUMBER_MAX = 400 }; /* bytes of one number */

/* A number as it is written: mantissa * 10^exponent, if it has at most 19 digits. */
typedef struct clv_json_number {
    const char *text;
    size_t bytes;
    bool negative, integer; /* integer: no fraction, no exponent */
    bool whole;             /* all digits are in `mantissa` */
    uint64_t mantissa;
    int exponent;
} clv_json_number;

/* Read a number at `at` by JSON's grammar; false if there is none or it is too long (then `*out` is
 * unspecified). */
bool clv_json_number_scan(const char *at, const char *end, clv_json_number *out);
/* Correctly rounded; infinite when out of range.
 * Source: Clinger, "How to read floating point numbers accurately", PLDI 1990: when the mantissa and
 * the power of ten are both exact doubles, one multiplication or division rounds once. Our
 * differences: for float, up to 19 digits go through double as well, and only results within a few
 * double steps of the middle between two floats are left to strtof. */
double clv_json_number_double(const clv_json_number *n);
float clv_json_number_float(const clv_json_number *n);
/* False unless it is an integer in [min, max]; for min = 0 max is taken as unsigned. */
bool clv_json_number_int(const clv_json_number *n, int64_t min, uint64_t max, uint64_t *bits);

#endif
