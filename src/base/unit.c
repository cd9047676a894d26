#include "base/unit.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_TEXT_MAX 48 /* digits that anybody writes; more is a mistake or an attack */

/* Binary before decimal, since "Ki" begins with "K". */
static const clv_unit_row scales[] = {
    {"Ki", 1024.0}, {"ki", 1024.0}, {"Mi", 1024.0 * 1024},
    {"Gi", 0x1p30}, {"Ti", 0x1p40}, {"k", 1e3},
    {"K", 1e3},     {"M", 1e6},     {"G", 1e9},
    {"T", 1e12},
};

static const clv_unit_row time_units[] = {
    {"us", 1},    {"\u00b5s", 1}, {"\u03bcs", 1}, {"ms", 1e3},    {"s", 1e6},
    {"min", 6e7}, {"m", 6e7},     {"h", 3.6e9},   {"d", 8.64e10},
};

static size_t digits(const char *text)
{
    size_t n = 0;
    while (text[n] >= '0' && text[n] <= '9') n++;
    return n;
}

/* The length of an unsigned decimal number at the start of `text`, 0 when there is none.
 * strtod() alone would take blanks, signs, hexadecimal, "inf" and "nan". */
static size_t number_length(const char *text)
{
    size_t whole = digits(text), n = whole;
    if (text[n] == '.') {
        size_t fraction = digits(text + n + 1);
        if (!whole && !fraction) return 0;
        n += 1 + fraction;
    }
    if (!n) return 0;
    if (text[n] == 'e' || text[n] == 'E') {
        size_t sign = text[n + 1] == '+' || text[n + 1] == '-';
        size_t power = digits(text + n + 1 + sign);
        if (power) n += 1 + sign + power;
    }
    return n < NUMBER_TEXT_MAX ? n : 0;
}

/* The number at the start of `text`; the rest, after at most one blank, is its unit. */
static const char *take_number(const char *text, double *value)
{
    size_t n = number_length(text);
    if (!n) return NULL;
    char number[NUMBER_TEXT_MAX] = {0};
    memcpy(number, text, n);
    *value = strtod(number, NULL);
    if (!isfinite(*value)) return NULL;
    text += n;
    return *text == ' ' && text[1] ? text + 1 : text;
}

static const char *take_scale(const char *text, double *factor)
{
    *factor = 1;
    for (size_t i = 0; i < sizeof scales / sizeof *scales; i++) {
        size_t n = strlen(scales[i].name);
        if (strncmp(text, scales[i].name, n) != 0) continue;
        *factor = scales[i].factor;
        return text + n;
    }
    return text;
}

static clv_status bad(clv_error *err, const char *text, const char *kind, const char *right)
{
    if (text && text[0] == '-')
        return clv_fail(err, CLV_EINVAL, "'%s' is negative, a %s is not; e.g. %s", text, kind,
                        right);
    return clv_fail(err, CLV_EINVAL, "'%s' is not a %s; e.g. %s", text ? text : "", kind, right);
}

/* Into int64_t; values this large are mistakes, not sizes. */
static clv_status whole(const char *text, double value, int64_t *out, clv_error *err)
{
    if (value >= 0x1p63)
        return clv_fail(err, CLV_EINVAL, "'%s' is too large, at most 2^63-1 fits", text);
    *out = (int64_t)(value + 0.5);
    return CLV_OK;
}

clv_status clv_parse_size(const char *text, int64_t *bytes, clv_error *err)
{
    static const char right[] = "602112, 64MiB or 1.5GB";
    double value = 0, factor = 1;
    const char *unit = text ? take_number(text, &value) : NULL;
    if (!unit) return bad(err, text, "size", right);
    const char *rest = take_scale(unit, &factor);
    if (*rest == 'B') rest++;
    if (*rest) return bad(err, text, "size", right);
    if (factor < 2 && value != floor(value)) return bad(err, text, "whole number of bytes", right);
    return whole(text, value * factor, bytes, err);
}

clv_status clv_parse_rate(const char *text, double *bytes_per_s, clv_error *err)
{
    static const char right[] = "5.85Mbit, 1Gbit/s or 2MB/s";
    double value = 0, factor = 1, bits_per_unit;
    const char *rest = text ? take_number(text, &value) : NULL;
    if (!rest) return bad(err, text, "rate", right);
    rest = take_scale(rest, &factor);
    if (strncmp(rest, "bit", 3) == 0) {
        bits_per_unit = 1;
        rest += 3;
    } else if (*rest == 'B') {
        bits_per_unit = 8;
        rest++;
    } else if (*rest == 'b' && rest[1]) { /* "Mbps" and "Mb/s" are bits; a bare "Mb" is a guess */
        bits_per_unit = 1;
        rest++;
    } else {
        return bad(err, text, "rate", right);
    }
    if (*rest && strcmp(rest, "/s") != 0 && strcmp(rest, "ps") != 0)
        return bad(err, text, "rate", right);
    double rate = value * factor * bits_per_unit / 8;
    if (!isfinite(rate)) return bad(err, text, "rate", right);
    *bytes_per_s = rate;
    return CLV_OK;
}

clv_status clv_parse_duration(const char *text, int64_t *us, clv_error *err)
{
    static const char right[] = "200us, 50ms or 1.5s";
    double value = 0;
    const char *unit = text ? take_number(text, &value) : NULL;
    if (!unit) return bad(err, text, "duration", right);
    for (size_t i = 0; i < sizeof time_units / sizeof *time_units; i++)
        if (strcmp(unit, time_units[i].name) == 0)
            return whole(text, value * time_units[i].factor, us, err);
    if (!*unit && value == 0) { /* zero is the same in every unit */
        *us = 0;
        return CLV_OK;
    }
    return bad(err, text, *unit ? "duration" : "duration, its unit is missing", right);
}

clv_status clv_parse_int(const char *text, int64_t *value, clv_error *err)
{
    size_t n = text ? digits(text) : 0;
    if (!n || text[n]) return bad(err, text, "whole number", "8");
    errno = 0;
    long long parsed = strtoll(text, NULL, 10);
    if (errno) return clv_fail(err, CLV_EINVAL, "'%s' is too large, at most 2^63-1 fits", text);
    *value = parsed;
    return CLV_OK;
}

clv_status clv_parse_real(const char *text, double *value, clv_error *err)
{
    double parsed = 0;
    const char *rest = text && text[0] != ' ' ? take_number(text, &parsed) : NULL;
    if (!rest || *rest || rest[-1] == ' ') return bad(err, text, "number", "0.25");
    *value = parsed;
    return CLV_OK;
}

clv_status clv_parse_unit(const char *text, const clv_quantity_kind *kind, double *value,
                          clv_error *err)
{
    double number = 0;
    const char *unit = text ? take_number(text, &number) : NULL;
    for (size_t i = 0; unit && i < kind->n; i++) {
        if (strcmp(unit, kind->units[i].name) != 0) continue;
        if (!isfinite(number * kind->units[i].factor)) break;
        *value = number * kind->units[i].factor;
        return CLV_OK;
    }
    return bad(err, text, kind->kind, kind->right);
}

/* Three significant digits with the unit behind: 1.20, 12.3, 812. */
static clv_unit_text three_digits(double value, const char *unit)
{
    clv_unit_text text;
    double magnitude = fabs(value);
    int decimals = magnitude >= 99.95 || value == 0 ? 0 : magnitude >= 9.995 ? 1 : 2;
    snprintf(text.s, sizeof text.s, "%.*f%s%s", decimals, value, *unit ? " " : "", unit);
    return text;
}

/* The largest unit in which the rounded value is at least one. */
static clv_unit_text show(double value, const clv_unit_row *units, size_t n)
{
    if (!isfinite(value)) {
        clv_unit_text text;
        snprintf(text.s, sizeof text.s, "%s", isnan(value) ? "?" : value > 0 ? "inf" : "-inf");
        return text;
    }
    size_t i = n - 1;
    while (i > 0 && fabs(value) < 0.9995 * units[i].factor) i--;
    return three_digits(value / units[i].factor, units[i].name);
}

static const clv_unit_row shown_sizes[] = {
    {"B", 1}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}};
static const clv_unit_row shown_rates[] = {
    {"bit/s", 1}, {"kbit/s", 1e3}, {"Mbit/s", 1e6}, {"Gbit/s", 1e9}, {"Tbit/s", 1e12}};
static const clv_unit_row shown_times[] = {
    {"\u00b5s", 1}, {"ms", 1e3}, {"s", 1e6}, {"min", 6e7}, {"h", 3.6e9}};
static const clv_unit_row shown_powers[] = {
    {"\u00b5W", 1e-6}, {"mW", 1e-3}, {"W", 1}, {"kW", 1e3}, {"MW", 1e6}};
static const clv_unit_row shown_energies[] = {
    {"\u00b5J", 1e-6}, {"mJ", 1e-3}, {"J", 1}, {"kJ", 1e3}, {"MJ", 1e6}};
static const clv_unit_row shown_counts[] = {
    {"", 1}, {"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {"T", 1e12}};

#define SHOW(value, units) show(value, units, sizeof(units) / sizeof *(units))

clv_unit_text clv_show_size(double bytes)
{
    clv_unit_text text = SHOW(bytes, shown_sizes);
    /* A byte has no fractions. */
    if (fabs(bytes) < 999.5) snprintf(text.s, sizeof text.s, "%.0f B", bytes);
    return text;
}

clv_unit_text clv_show_rate(double bytes_per_s)
{
    return SHOW(bytes_per_s * 8, shown_rates);
}

clv_unit_text clv_show_duration(double us)
{
    return SHOW(us, shown_times);
}

clv_unit_text clv_show_count(double n)
{
    clv_unit_text text = SHOW(n, shown_counts);
    if (n == floor(n) && fabs(n) < 1000) snprintf(text.s, sizeof text.s, "%.0f", n);
    return text;
}

clv_unit_text clv_show_power(double w)
{
    return w == 0 ? three_digits(0, "W") : SHOW(w, shown_powers);
}

clv_unit_text clv_show_energy(double j)
{
    return j == 0 ? three_digits(0, "J") : SHOW(j, shown_energies);
}
