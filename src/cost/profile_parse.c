/* The reading half of cost/profile.h. A profile may come from a peer, so every field is checked,
 * and the error says which one is wrong by its path ("cuts[3].prefix.us"). Fields that are not
 * known are skipped: a later version may add some without a new schema number. */
#include "base/mem.h"
#include "cost/profile.h"
#include "graph/cuts.h"

#include <ctype.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_MAX_TEXT = 64 };
#define BYTES_MAX ((int64_t)1 << 40)

/* An object and where it stands in the document ("" for the root, else it ends in a dot). */
typedef struct place {
    const json_t *object;
    char path[PATH_MAX_TEXT];
} place;

static void free_profile(clv_profile **p)
{
    clv_profile_free(*p);
}
static void free_json(json_t **j)
{
    json_decref(*j);
}

static clv_status bad(clv_error *err, const place *at, const char *key, const char *want)
{
    return clv_fail(err, CLV_EINVAL, "field '%s%s': %s", at->path, key, want);
}

static clv_status get_object(const place *at, const char *key, place *out, clv_error *err)
{
    out->object = json_object_get(at->object, key);
    if (!json_is_object(out->object)) return bad(err, at, key, "must be an object");
    snprintf(out->path, sizeof out->path, "%.40s%s.", at->path, key);
    return CLV_OK;
}

static clv_status get_array(const place *at, const char *key, size_t max, const json_t **out,
                            clv_error *err)
{
    const json_t *a = json_object_get(at->object, key);
    if (!json_is_array(a)) return bad(err, at, key, "must be an array");
    if (json_array_size(a) > max)
        return clv_fail(err, CLV_ELIMIT, "field '%s%s': %zu items, at most %zu are allowed",
                        at->path, key, json_array_size(a), max);
    *out = a;
    return CLV_OK;
}

static clv_status get_item(const json_t *array, const char *key, size_t i, place *out,
                           clv_error *err)
{
    out->object = json_array_get(array, i);
    snprintf(out->path, sizeof out->path, "%s[%zu].", key, i);
    return json_is_object(out->object) ? CLV_OK : bad(err, out, "", "must be an object");
}

static clv_status get_real(const place *at, const char *key, double min, double max, double *out,
                           clv_error *err)
{
    const json_t *v = json_object_get(at->object, key);
    if (!json_is_number(v)) return bad(err, at, key, "must be a number");
    double x = json_number_value(v);
    if (!isfinite(x) || x < min || x > max)
        return clv_fail(err, CLV_EINVAL, "field '%s%s': %g is not within %g and %g", at->path, key,
                        x, min, max);
    *out = x;
    return CLV_OK;
}

static clv_status get_count(const place *at, const char *key, int64_t max, int64_t *out,
                            clv_error *err)
{
    const json_t *v = json_object_get(at->object, key);
    if (!json_is_integer(v)) return bad(err, at, key, "must be an integer");
    int64_t x = json_integer_value(v);
    if (x < 0 || x > max)
        return clv_fail(err, CLV_EINVAL, "field '%s%s': %lld is not within 0 and %lld", at->path,
                        key, (long long)x, (long long)max);
    *out = x;
    return CLV_OK;
}

static clv_status check_text(const json_t *v, size_t max, const place *at, const char *key,
                             clv_error *err)
{
    if (!json_is_string(v)) return bad(err, at, key, "must be a string");
    if (json_string_length(v) > max)
        return clv_fail(err, CLV_ELIMIT, "field '%s%s': %zu bytes of text, at most %zu are allowed",
                        at->path, key, json_string_length(v), max);
    return CLV_OK;
}

static clv_status get_text(const place *at, const char *key, size_t max, char **out, clv_error *err)
{
    const json_t *v = json_object_get(at->object, key);
    clv_status s = check_text(v, max, at, key, err);
    if (s == CLV_OK) *out = clv_strdup(json_string_value(v));
    return s;
}

static clv_status get_fixed_text(const place *at, const char *key, char *out, size_t size,
                                 clv_error *err)
{
    const json_t *v = json_object_get(at->object, key);
    clv_status s = check_text(v, size - 1, at, key, err);
    if (s == CLV_OK) memcpy(out, json_string_value(v), json_string_length(v) + 1);
    return s;
}

static clv_status get_time(const place *at, const char *key, clv_time *out, clv_error *err)
{
    place here;
    int64_t n = 0;
    if (get_object(at, key, &here, err) ||
        get_real(&here, "us", 0, CLV_PROFILE_US_MAX, &out->us, err) ||
        get_real(&here, "sigma_us", 0, CLV_PROFILE_US_MAX, &out->sigma_us, err) ||
        get_count(&here, "n", 1000000000, &n, err))
        return CLV_EINVAL;
    out->n = (int)n;
    if (n == 0 && out->us > 0)
        return bad(err, &here, "n", "is 0 (not measured), but 'us' is above 0");
    return CLV_OK;
}

static clv_status get_live(const place *at, clv_profile_cut *cut, clv_error *err)
{
    const json_t *live;
    clv_status s = get_array(at, "live", CLV_GRAPH_TENSORS_MAX, &live, err);
    if (s != CLV_OK) return s;
    cut->live = clv_alloc_array(json_array_size(live), sizeof *cut->live);
    for (size_t i = 0; i < json_array_size(live); i++) {
        const json_t *v = json_array_get(live, i);
        s = check_text(v, CLV_NAME_MAX, at, "live", err);
        if (s != CLV_OK) return s;
        cut->live[cut->n_live++] = clv_strdup(json_string_value(v));
    }
    return CLV_OK;
}

/* A label joins the names of all live tensors, so its bound is looser than that of a name. */
enum { LABEL_MAX = 64 * CLV_NAME_MAX };

static clv_status get_cut(const place *at, clv_profile_cut *cut, clv_error *err)
{
    int64_t up = 0, down = 0;
    if (get_text(at, "label", LABEL_MAX, &cut->label, err) || get_live(at, cut, err) ||
        get_count(at, "up_bytes", BYTES_MAX, &up, err) ||
        get_count(at, "down_bytes", BYTES_MAX, &down, err) ||
        get_time(at, "prefix", &cut->prefix, err) || get_time(at, "suffix", &cut->suffix, err))
        return CLV_EINVAL;
    cut->up_bytes = (size_t)up;
    cut->down_bytes = (size_t)down;
    return CLV_OK;
}

static clv_status get_unit(const place *at, clv_profile_unit *unit, clv_error *err)
{
    int64_t bytes = 0, macs = 0, params = 0;
    if (get_text(at, "name", CLV_NAME_MAX, &unit->name, err) ||
        get_text(at, "op", CLV_NAME_MAX, &unit->op, err) ||
        get_text(at, "shape", CLV_NAME_MAX, &unit->shape, err) ||
        get_count(at, "output_bytes", BYTES_MAX, &bytes, err) ||
        get_count(at, "macs", INT64_MAX, &macs, err) ||
        get_count(at, "params", INT64_MAX, &params, err) ||
        get_real(at, "us", 0, CLV_PROFILE_US_MAX, &unit->us, err))
        return CLV_EINVAL;
    unit->output_bytes = (size_t)bytes;
    unit->macs = (uint64_t)macs;
    unit->params = (uint64_t)params;
    return CLV_OK;
}

static clv_status get_head(const place *root, clv_profile *p, clv_error *err)
{
    int64_t schema = 0, threads = 0;
    if (get_count(root, "schema", INT64_MAX, &schema, err)) return CLV_EINVAL;
    if (schema != CLV_PROFILE_SCHEMA)
        return clv_fail(err, CLV_EMISMATCH, "schema %lld, this program reads %d", (long long)schema,
                        CLV_PROFILE_SCHEMA);
    if (get_fixed_text(root, "model", p->model, sizeof p->model, err) ||
        get_fixed_text(root, "digest", p->digest, sizeof p->digest, err) ||
        get_fixed_text(root, "device", p->device, sizeof p->device, err) ||
        get_fixed_text(root, "engine", p->engine, sizeof p->engine, err) ||
        get_count(root, "threads", 65536, &threads, err) ||
        get_real(root, "slowdown", 1e-3, 1e6, &p->slowdown, err))
        return CLV_EINVAL;
    p->threads = (int)threads;
    bool hex = strlen(p->digest) == CLV_DIGEST_TEXT - 1;
    for (const char *c = p->digest; *c; c++) hex = hex && isxdigit((unsigned char)*c);
    return hex ? CLV_OK : bad(err, root, "digest", "must be 64 hexadecimal digits");
}

/* What every profile has: at least the cuts "all remote" and "all here"; at the latter nothing
 * crosses. */
static clv_status check_shape(const clv_profile *p, clv_error *err)
{
    if (p->n_cuts < 2) return clv_fail(err, CLV_EINVAL, "field 'cuts': needs at least two cuts");
    if (p->cuts[p->n_cuts - 1].n_live > 0)
        return clv_fail(err, CLV_EINVAL, "field 'cuts[%zu].live': must be empty at the last cut",
                        p->n_cuts - 1);
    return CLV_OK;
}

static clv_status get_profile(const json_t *document, clv_profile *p, clv_error *err)
{
    place root = {.object = document}, at;
    const json_t *cuts, *units;
    if (!json_is_object(document))
        return clv_fail(err, CLV_EINVAL, "the document must be an object");
    clv_status s = get_head(&root, p, err);
    if (s == CLV_OK) s = get_array(&root, "cuts", CLV_CUTS_CAP + 2, &cuts, err);
    if (s == CLV_OK) s = get_array(&root, "units", CLV_UNITS_MAX, &units, err);
    if (s != CLV_OK) return s;
    p->cuts = clv_alloc_array(json_array_size(cuts), sizeof *p->cuts);
    p->units = clv_alloc_array(json_array_size(units), sizeof *p->units);
    for (size_t i = 0; i < json_array_size(cuts); i++) {
        p->n_cuts++; /* counted first, so that a half-read cut is freed too */
        if (get_item(cuts, "cuts", i, &at, err) || get_cut(&at, &p->cuts[i], err))
            return CLV_EINVAL;
    }
    for (size_t i = 0; i < json_array_size(units); i++) {
        p->n_units++;
        if (get_item(units, "units", i, &at, err) || get_unit(&at, &p->units[i], err))
            return CLV_EINVAL;
    }
    return check_shape(p, err);
}

clv_status clv_profile_parse(const char *json, size_t bytes, clv_profile **out, clv_error *err)
{
    if (bytes > CLV_PROFILE_FILE_MAX)
        return clv_fail(err, CLV_ELIMIT, "%zu bytes, at most %zu are allowed", bytes,
                        (size_t)CLV_PROFILE_FILE_MAX);
    json_error_t why;
    CLV_AUTO(free_json) json_t *document = json_loadb(json, bytes, JSON_REJECT_DUPLICATES, &why);
    if (!document) return clv_fail(err, CLV_EINVAL, "not JSON: line %d: %s", why.line, why.text);
    CLV_AUTO(free_profile) clv_profile *p = clv_alloc(sizeof *p);
    clv_error local = {0};
    if (get_profile(document, p, &local)) return clv_fail(err, local.status, "%s", local.text);
    *out = clv_steal(&p);
    return CLV_OK;
}
