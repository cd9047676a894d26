/* Reading a JSON document field by field, with errors that name the field by its path
 * ("cuts[3].prefix.us"), for files that nobody vouches for.
 *
 *     clv_place root = {.object = document}, at;
 *     double us;
 *     if (clv_field_object(&root, "prefix", &at, err) || clv_field_real(&at, "us", 0, 1e9, &us, err))
 *         return CLV_EINVAL;                       // "field 'prefix.us': -1 is not within 0 and 1e+09"
 *
 * Every function fails with CLV_EINVAL (missing, of another type, out of range) or CLV_ELIMIT (too
 * long) and leaves *out alone then. For cost/, plan/ and split/. Threads: any; keeps nothing.
 */
#ifndef CLV_COST_FIELDS_H
#define CLV_COST_FIELDS_H

#include "base/status.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* An object and where it stands in the document ("" for the root, else it ends in a dot). */
typedef struct clv_place {
    const json_t *object;
    char path[96];
} clv_place;

/* CLV_EINVAL: "field 'PATHkey': want". */
clv_status clv_field_bad(clv_error *err, const clv_place *at, const char *key, const char *want);
CLV_MUST
clv_status clv_field_object(const clv_place *at, const char *key, clv_place *out, clv_error *err);
CLV_MUST
clv_status clv_field_array(const clv_place *at, const char *key, size_t max, const json_t **out,
                           clv_error *err);
/* Object i of an array that was field `key` of `of`. */
CLV_MUST
clv_status clv_field_item(const clv_place *of, const json_t *array, const char *key, size_t i,
                          clv_place *out, clv_error *err);
/* A finite number within min and max. */
CLV_MUST
clv_status clv_field_real(const clv_place *at, const char *key, double min, double max, double *out,
                          clv_error *err);
/* An array of exactly `n` such numbers; heap. */
CLV_MUST
clv_status clv_field_reals(const clv_place *at, const char *key, size_t n, double min, double max,
                           double **out, clv_error *err);
/* An integer from 0 to max. */
CLV_MUST
clv_status clv_field_count(const clv_place *at, const char *key, int64_t max, int64_t *out,
                           clv_error *err);
CLV_MUST
clv_status clv_field_bool(const clv_place *at, const char *key, bool *out, clv_error *err);
/* Heap text of at most `max` bytes. */
CLV_MUST
clv_status clv_field_text(const clv_place *at, const char *key, size_t max, char **out,
                          clv_error *err);
/* Text into an array of `size` bytes. */
CLV_MUST
clv_status clv_field_fixed_text(const clv_place *at, const char *key, char *out, size_t size,
                                clv_error *err);
/* Is this value, an item of field `key`, a text of at most `max` bytes? */
CLV_MUST
clv_status clv_field_check_text(const json_t *value, size_t max, const clv_place *at,
                                const char *key, clv_error *err);
/* For CLV_AUTO. */
void clv_json_free(json_t **j);

#endif
