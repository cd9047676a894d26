#include "cost/fields.h"

#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void clv_json_free(json_t **j)
{
    json_decref(*j);
}

clv_status clv_field_bad(clv_error *err, const clv_place *at, const char *key, const char *want)
{
    return clv_fail(err, CLV_EINVAL, "field '%s%s': %s", at->path, key, want);
}

clv_status clv_field_object(const clv_place *at, const char *key, clv_place *out, clv_error *err)
{
    const json_t *o = json_object_get(at->object, key);
    if (!json_is_object(o)) return clv_field_bad(err, at, key, "must be an object");
    clv_place here = {.object = o};
    snprintf(here.path, sizeof here.path, "%.56s%.30s.", at->path, key);
    *out = here;
    return CLV_OK;
}

clv_status clv_field_array(const clv_place *at, const char *key, size_t max, const json_t **out,
                           clv_error *err)
{
    const json_t *a = json_object_get(at->object, key);
    if (!json_is_array(a)) return clv_field_bad(err, at, key, "must be an array");
    if (json_array_size(a) > max)
        return clv_fail(err, CLV_ELIMIT, "field '%s%s': %zu items, at most %zu are allowed",
                        at->path, key, json_array_size(a), max);
    *out = a;
    return CLV_OK;
}

clv_status clv_field_item(const clv_place *of, const json_t *array, const char *key, size_t i,
                          clv_place *out, clv_error *err)
{
    clv_place here = {.object = json_array_get(array, i)};
    snprintf(here.path, sizeof here.path, "%.30s%.30s[%zu].", of->path, key, i);
    if (!json_is_object(here.object)) return clv_field_bad(err, &here, "", "must be an object");
    *out = here;
    return CLV_OK;
}

static clv_status check_real(const json_t *v, const clv_place *at, const char *key, double min,
                             double max, double *out, clv_error *err)
{
    if (!json_is_number(v)) return clv_field_bad(err, at, key, "must be a number");
    double x = json_number_value(v);
    if (!isfinite(x) || x < min || x > max)
        return clv_fail(err, CLV_EINVAL, "field '%s%s': %g is not within %g and %g", at->path, key,
                        x, min, max);
    *out = x;
    return CLV_OK;
}

clv_status clv_field_real(const clv_place *at, const char *key, double min, double max, double *out,
                          clv_error *err)
{
    return check_real(json_object_get(at->object, key), at, key, min, max, out, err);
}

clv_status clv_field_reals(const clv_place *at, const char *key, size_t n, double min, double max,
                           double **out, clv_error *err)
{
    const json_t *array;
    clv_status s = clv_field_array(at, key, n, &array, err);
    if (s == CLV_OK && json_array_size(array) < n)
        s = clv_fail(err, CLV_EINVAL, "field '%s%s': %zu numbers, %zu are wanted", at->path, key,
                     json_array_size(array), n);
    if (s != CLV_OK) return s;
    CLV_AUTO(clv_free) double *items = clv_alloc_array(n, sizeof *items);
    for (size_t i = 0; i < n && s == CLV_OK; i++) {
        char item[64];
        snprintf(item, sizeof item, "%.30s[%zu]", key, i);
        s = check_real(json_array_get(array, i), at, item, min, max, &items[i], err);
    }
    if (s == CLV_OK) *out = clv_steal(&items);
    return s;
}

clv_status clv_field_count(const clv_place *at, const char *key, int64_t max, int64_t *out,
                           clv_error *err)
{
    const json_t *v = json_object_get(at->object, key);
    if (!json_is_integer(v)) return clv_field_bad(err, at, key, "must be an integer");
    int64_t x = json_integer_value(v);
    if (x < 0 || x > max)
        return clv_fail(err, CLV_EINVAL, "field '%s%s': %lld is not within 0 and %lld", at->path,
                        key, (long long)x, (long long)max);
    *out = x;
    return CLV_OK;
}

clv_status clv_field_bool(const clv_place *at, const char *key, bool *out, clv_error *err)
{
    const json_t *v = json_object_get(at->object, key);
    if (!json_is_boolean(v)) return clv_field_bad(err, at, key, "must be true or false");
    *out = json_is_true(v);
    return CLV_OK;
}

clv_status clv_field_check_text(const json_t *value, size_t max, const clv_place *at,
                                const char *key, clv_error *err)
{
    if (!json_is_string(value)) return clv_field_bad(err, at, key, "must be a string");
    if (json_string_length(value) > max)
        return clv_fail(err, CLV_ELIMIT, "field '%s%s': %zu bytes of text, at most %zu are allowed",
                        at->path, key, json_string_length(value), max);
    return CLV_OK;
}

clv_status clv_field_text(const clv_place *at, const char *key, size_t max, char **out,
                          clv_error *err)
{
    const json_t *v = json_object_get(at->object, key);
    clv_status s = clv_field_check_text(v, max, at, key, err);
    if (s == CLV_OK) *out = clv_strdup(json_string_value(v));
    return s;
}

clv_status clv_field_fixed_text(const clv_place *at, const char *key, char *out, size_t size,
                                clv_error *err)
{
    const json_t *v = json_object_get(at->object, key);
    clv_status s = clv_field_check_text(v, size - 1, at, key, err);
    if (s == CLV_OK) memcpy(out, json_string_value(v), json_string_length(v) + 1);
    return s;
}
