/* Numbers with units, as people write them, into base units and back.
 *
 *   size:     "602112", "64MiB", "1.5GB", "8k"        -> bytes        (k=1000, Ki=1024; B optional)
 *   rate:     "5.85Mbit", "1Gbit", "2MB/s", "1Gbit/s" -> bytes/second (bit or B, "/s" and "ps"
 * optional) duration: "50ms", "1.5s", "200us", "2m", "1h"     -> microseconds
 *
 * A bare number is bytes, and an error for rates and durations (its unit could be anything).
 * Errors name the text and show a right one. Negative, NaN, infinite and overflowing values are
 * errors.
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

#define CLV_UNIT_TEXT_MAX 32
typedef struct clv_unit_text {
    char s[CLV_UNIT_TEXT_MAX];
} clv_unit_text; /* returned by value: printf("%s", clv_show_size(n).s) */

clv_unit_text clv_show_size(double bytes);       /* "602 kB", "1.2 MB" */
clv_unit_text clv_show_rate(double bytes_per_s); /* "5.85 Mbit/s" */
clv_unit_text clv_show_duration(double us);      /* "812 µs", "12.3 ms", "1.20 s" */
clv_unit_text clv_show_count(double n);          /* "61.1 M", "0.71 G", "823" */

#endif
