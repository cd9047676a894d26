#include "cost/quantity.h"

#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const clv_unit_row watt_units[] = {{"", 1}, {"W", 1}, {"mW", 1e-3}, {"kW", 1e3}};
static const clv_unit_row joule_units[] = {{"J/MB", 1e-6},  {"J/GB", 1e-9}, {"mJ/MB", 1e-9},
                                           {"mJ/kB", 1e-6}, {"uJ/B", 1e-6}, {"nJ/B", 1e-9}};
static const clv_unit_row time_units[] = {
    {"/s", 1}, {"/min", 1.0 / 60}, {"/h", 1.0 / 3600}, {"/day", 1.0 / 86400}};
static const clv_unit_row byte_units[] = {{"/MB", 1e-6}, {"/GB", 1e-9}, {"/TB", 1e-12}};

#define KIND(units, what, example)                                                                 \
    {                                                                                              \
        what, example, units, CLV_COUNT(units)                                                     \
    }
const clv_quantity_kind clv_watts = KIND(watt_units, "power", "2.5W or 350mW");
const clv_quantity_kind clv_joules_per_byte =
    KIND(joule_units, "energy for bytes", "3.5J/MB or 350nJ/B");
const clv_quantity_kind clv_price_per_time = KIND(time_units, "price for time", "0.53/h");
const clv_quantity_kind clv_price_per_byte = KIND(byte_units, "price for bytes", "0.09/GB");

/* "idle=W, active=W, ...": what can be named. */
static clv_status unknown_word(const char *what, const char *word, const clv_quantity *rows,
                               size_t n, clv_error *err)
{
    char known[200];
    size_t used = 0;
    for (size_t i = 0; i < n && used < sizeof known; i++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s=%.*s", i ? ", " : "",
                                 rows[i].name, (int)strcspn(rows[i].kind->right, " "),
                                 rows[i].kind->right);
    return clv_fail(err, CLV_EINVAL, "%s: '%.60s' is not known; it is written as %s", what, word,
                    known);
}

static clv_status take(const char *what, char *word, const clv_quantity *rows, size_t n,
                       double *values, clv_error *err)
{
    char *value = strchr(word, '=');
    size_t i = 0, length = value ? (size_t)(value - word) : 0;
    while (i < n && (strlen(rows[i].name) != length || strncmp(rows[i].name, word, length) != 0))
        i++;
    if (!value || i == n) return unknown_word(what, word, rows, n, err);
    if (!isnan(values[i]))
        return clv_fail(err, CLV_EINVAL, "%s: '%s' is there twice", what, rows[i].name);
    double x = 0;
    if (clv_parse_unit(value + 1, rows[i].kind, &x, err))
        return clv_within(err, "%s: %s", what, rows[i].name);
    if (x > rows[i].max)
        return clv_fail(err, CLV_EINVAL, "%s: %s: '%s' is absurd, %g times the most that is taken",
                        what, rows[i].name, value + 1, x / rows[i].max);
    values[i] = x;
    return CLV_OK;
}

clv_status clv_quantities_parse(const char *what, const char *text, const clv_quantity *rows,
                                size_t n, double *values, clv_error *err)
{
    char words[CLV_QUANTITIES_TEXT_MAX];
    size_t length = strlen(text);
    if (length >= sizeof words)
        return clv_fail(err, CLV_ELIMIT, "%s: %zu bytes of text, at most %zu", what, length,
                        sizeof words - 1);
    memcpy(words, text, length + 1);
    for (size_t i = 0; i < n; i++) values[i] = NAN;
    for (char *word = words, *next; word; word = next) {
        next = strchr(word, ',');
        if (next) *next++ = 0;
        clv_status s = take(what, word, rows, n, values, err);
        if (s) return s;
    }
    return CLV_OK;
}
