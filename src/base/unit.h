/* Numbers with units, as people write them, into base units and back.
 *
 *   size      "602112", "64MiB", "1.5GB", "8k"         bytes         k = 1000, Ki = 1024, B
 * optional rate      "5.85Mbit", "1Gbit/s", "2MB/s", "8Mbps"  bytes/second  bit or B; "/s", "ps"
 * optional duration  "50ms", "1.5s", "200us", "2m", "1h"      microseconds int       "8" digits
 * only real      "0.25", "1e-3"                           no unit
 *
 * A bare number is bytes, and an error for rates and durations (its unit could be anything), except
 * the duration "0". Negative, NaN, infinite and overflowing values are errors. All errors are
 * CLV_EINVAL, name the text and show a right one; the caller adds whose value it was.
 *
 *     int64_t us;
 *     if (clv_parse_duration("50", &us, err)) return clv_within(err, "--rtt");
 *     // "--rtt: '50' is not a duration, its unit is missing; e.g. 200us, 50ms or 1.5s"
 *
 * The showing functions give three significant digits, in decimal units, for people.
 */
#ifndef CLV_BASE_UNIT_H
#define CLV_BASE_UNIT_H

#include "base/status.h"

#include <stdint.h>

CLV_MUST
clv_status clv_parse_size(const char *text, int64_t *bytes, clv_error *err);
CLV_MUST
clv_status clv_parse_rate(const char *text, double *bytes_per_s, clv_error *err);
CLV_MUST
clv_status clv_parse_duration(const char *text, int64_t *us, clv_error *err);
CLV_MUST
clv_status clv_parse_int(const char *text, int64_t *value, clv_error *err);
CLV_MUST
clv_status clv_parse_real(const char *text, double *value, clv_error *err);

/* A number in one of the listed units, times the unit's factor; a unit named "" lets a bare number be.
 * `kind` and `right` are for the error: "'7V' is not a power; e.g. 2.5W or 350mW". */
typedef struct clv_unit_row {
    const char *name;
    double factor;
} clv_unit_row;
typedef struct clv_quantity_kind {
    const char *kind, *right;
    const clv_unit_row *units;
    size_t n;
} clv_quantity_kind;
CLV_MUST
clv_status clv_parse_unit(const char *text, const clv_quantity_kind *kind, double *value,
                          clv_error *err);

#define CLV_UNIT_TEXT_MAX 32
typedef struct clv_unit_text {
    char s[CLV_UNIT_TEXT_MAX];
} clv_unit_text; /* returned by value: printf("%s", clv_show_size(n).s) */

clv_unit_text clv_show_size(double bytes);       /* "812 B", "602 kB", "1.20 MB" */
clv_unit_text clv_show_rate(double bytes_per_s); /* "5.85 Mbit/s" */
clv_unit_text clv_show_duration(double us);      /* "812 µs", "12.3 ms", "1.20 s", "2.50 min" */
clv_unit_text clv_show_count(double n);          /* "823", "61.1 M", "1.81 G" */
clv_unit_text clv_show_power(double w);          /* "350 mW", "7.50 W" */
clv_unit_text clv_show_energy(double j);         /* "812 µJ", "12.3 mJ", "1.20 J" */

#endif
