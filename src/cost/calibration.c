#include "cost/calibration.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/stats.h"
#include "cost/profile_priv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void clv_calibration_network_done(clv_calibration_network *n)
{
    for (size_t i = 0; i < n->n_segments; i++) free(n->segments[i].has);
    free(n->rows);
    free(n->segments);
}

void clv_calibration_free(clv_calibration *c)
{
    if (!c) return;
    for (size_t i = 0; i < c->n_networks; i++) clv_calibration_network_done(&c->networks[i]);
    free(c->networks);
    free(c);
}

void clv_calibration_refer(clv_calibration *c)
{
    CLV_AUTO(clv_free) double *us = clv_alloc_array(c->n_networks + 1, sizeof *us);
    size_t n = 0;
    for (size_t i = 0; i < c->n_networks; i++) {
        const clv_calibration_network *net = &c->networks[i];
        if (net->reference_us > 0) us[n++] = net->reference_us * exp(-net->mood);
    }
    c->reference.n = (int)n;
    c->reference.us = clv_median(us, n);
    c->reference.sigma_us = clv_mad_sigma(us, n);
}

/* ---- writing ---- */

/* Three digits behind the point of a microsecond: the clock tells no more. */
static json_t *short_real(double x)
{
    char text[32];
    snprintf(text, sizeof text, "%.9g", x);
    return json_real(strtod(text, NULL));
}

static json_t *row_json(const clv_calibration_row *r)
{
    json_t *o = clv_features_json(&r->place.features);
    json_object_set_new(o, "after", json_string(clv_unit_kind_name(r->place.after)));
    json_object_set_new(o, "from", json_string(clv_unit_kind_name(r->place.from)));
    json_object_set_new(o, "inputs", json_integer(r->place.inputs));
    json_object_set_new(o, "beside_bytes", json_integer((json_int_t)r->place.beside_bytes));
    json_object_set_new(o, "added", json_integer(r->place.added));
    json_object_set_new(o, "us", short_real(r->us));
    return o;
}

/* Its units are a text: '1' for each row of the network that is in it, '0' for the others. */
static json_t *segment_json(const clv_calibration_segment *s, size_t n_rows)
{
    CLV_AUTO(clv_text_free) char *has = clv_alloc_array(n_rows + 1, 1);
    for (size_t i = 0; i < n_rows; i++) has[i] = s->has[i] ? '1' : '0';
    return json_pack("{sosososs}", "us", short_real(s->us), "in_bytes", json_real(s->in_bytes),
                     "out_bytes", json_real(s->out_bytes), "has", has);
}

static json_t *network_json(const clv_calibration_network *n)
{
    json_t *rows = json_array(), *segments = json_array();
    for (size_t i = 0; i < n->n_rows; i++) json_array_append_new(rows, row_json(&n->rows[i]));
    for (size_t i = 0; i < n->n_segments; i++)
        json_array_append_new(segments, segment_json(&n->segments[i], n->n_rows));
    json_t *o = json_pack("{sssIsososo}", "family", n->family, "seed", (json_int_t)n->seed, "mood",
                          short_real(n->mood), "rows", rows, "segments", segments);
    if (n->reference_us > 0) json_object_set_new(o, "reference_us", short_real(n->reference_us));
    return o;
}

static json_t *kind_json(clv_unit_kind k, const clv_calibration_kind *kind)
{
    json_t *cause = json_array(), *scale = json_array(), *merged = json_array();
    for (int i = 0; i < CLV_PLACE_MARKS; i++)
        json_array_append_new(merged, short_real(kind->merged[i]));
    for (int i = 0; i < CLV_CAUSES; i++)
        json_array_append_new(cause, short_real(kind->cause_us[i]));
    for (int i = 0; i < CLV_PLACE_NUMBERS; i++)
        json_array_append_new(scale, short_real(kind->settings.scale[i]));
    return json_pack("{sssososososososososi}", "kind", clv_unit_kind_name(k), "merged", merged,
                     "cause_us", cause, "level", short_real(kind->level), "scale", scale, "signal",
                     short_real(kind->settings.signal), "noise", short_real(kind->settings.noise),
                     "shared", short_real(kind->settings.shared), "error", short_real(kind->error),
                     "samples", kind->n);
}

static json_t *border_json(const clv_calibration_border *b)
{
    return json_pack("{sosososo}", "run_us", short_real(b->run_us), "unit_us",
                     short_real(b->unit_us), "in_us_per_mb", short_real(b->in_us), "out_us_per_mb",
                     short_real(b->out_us));
}

char *clv_calibration_json(const clv_calibration *c)
{
    json_t *kinds = json_array(), *networks = json_array();
    for (int k = 0; k < CLV_UNIT_KIND_COUNT; k++)
        if (c->kinds[k].known)
            json_array_append_new(kinds, kind_json((clv_unit_kind)k, &c->kinds[k]));
    for (size_t i = 0; i < c->n_networks; i++)
        json_array_append_new(networks, network_json(&c->networks[i]));
    CLV_AUTO(clv_json_free)
    json_t *root = json_pack("{sisssssisosbsososo}", "calibration", CLV_CALIBRATION_SCHEMA,
                             "device", c->device, "engine", c->engine, "threads", c->threads,
                             "slowdown", short_real(c->slowdown), "complete", c->complete, "border",
                             border_json(&c->border), "kinds", kinds, "networks", networks);
    clv_speed_json(&c->reference, root);
    return json_dumps(root, JSON_COMPACT);
}

clv_status clv_calibration_write(const char *path, const clv_calibration *c, clv_error *err)
{
    CLV_AUTO(clv_text_free) char *text = clv_calibration_json(c);
    if (!text) return clv_fail(err, CLV_EINTERNAL, "the calibration cannot be written as JSON");
    return clv_file_write(path, text, strlen(text), err);
}

/* ---- reading ---- */

static clv_status read_kind_name(const clv_place *at, const char *key, clv_unit_kind *out,
                                 clv_error *err)
{
    char text[32];
    clv_status s = clv_field_fixed_text(at, key, text, sizeof text, err);
    if (s != CLV_OK) return s;
    int k = clv_unit_kind_parse(text);
    if (k < 0) return clv_field_bad(err, at, key, "must be a kind of unit");
    *out = (clv_unit_kind)k;
    return CLV_OK;
}

static clv_status read_row(const clv_place *at, clv_calibration_row *r, clv_error *err)
{
    int64_t inputs = 0, beside = 0, added = 0;
    if (clv_features_parse(at, &r->place.features, err) ||
        read_kind_name(at, "after", &r->place.after, err) ||
        read_kind_name(at, "from", &r->place.from, err) ||
        clv_field_count(at, "inputs", CLV_GRAPH_TENSORS_MAX, &inputs, err) ||
        clv_field_count(at, "beside_bytes", INT64_MAX / 2, &beside, err) ||
        clv_field_count(at, "added", 1, &added, err) ||
        clv_field_real(at, "us", 0, CLV_CALIBRATION_US_MAX, &r->us, err))
        return CLV_EINVAL;
    r->place.inputs = (int)inputs;
    r->place.beside_bytes = beside;
    r->place.added = (int)added;
    return CLV_OK;
}

static clv_status read_segment(const clv_place *at, size_t n_rows, clv_calibration_segment *s,
                               clv_error *err)
{
    const char *has = json_string_value(json_object_get(at->object, "has"));
    if (clv_field_real(at, "us", 1e-3, CLV_CALIBRATION_US_MAX, &s->us, err) ||
        clv_field_real(at, "in_bytes", 0, 1e12, &s->in_bytes, err) ||
        clv_field_real(at, "out_bytes", 0, 1e12, &s->out_bytes, err))
        return CLV_EINVAL;
    if (!has || strlen(has) != n_rows || strspn(has, "01") != n_rows)
        return clv_field_bad(err, at, "has", "must be a text of 0 and 1 for each row");
    s->has = clv_alloc_array(n_rows + 1, sizeof *s->has);
    for (size_t i = 0; i < n_rows; i++) s->has[i] = has[i] == '1';
    return CLV_OK;
}

enum { SEGMENTS_MAX = 1000 };

static clv_status read_network(const clv_place *at, clv_calibration_network *n, clv_error *err)
{
    const json_t *rows, *segments;
    clv_place here;
    if (clv_field_fixed_text(at, "family", n->family, sizeof n->family, err) ||
        clv_field_count(at, "seed", INT64_MAX, &n->seed, err) ||
        clv_field_real(at, "mood", -5, 5, &n->mood, err) ||
        clv_field_array(at, "rows", CLV_UNITS_MAX, &rows, err) ||
        clv_field_array(at, "segments", SEGMENTS_MAX, &segments, err))
        return CLV_EINVAL;
    if (json_object_get(at->object, "reference_us") &&
        clv_field_real(at, "reference_us", CLV_SPEED_US_MIN, CLV_SPEED_US_MAX, &n->reference_us,
                       err))
        return CLV_EINVAL;
    n->rows = clv_alloc_array(json_array_size(rows), sizeof *n->rows);
    n->segments = clv_alloc_array(json_array_size(segments), sizeof *n->segments);
    for (size_t i = 0; i < json_array_size(rows); i++)
        if (clv_field_item(at, rows, "rows", i, &here, err) ||
            read_row(&here, &n->rows[n->n_rows++], err))
            return CLV_EINVAL;
    for (size_t i = 0; i < json_array_size(segments); i++)
        if (clv_field_item(at, segments, "segments", i, &here, err) ||
            read_segment(&here, n->n_rows, &n->segments[n->n_segments++], err))
            return CLV_EINVAL;
    return CLV_OK;
}

static clv_status read_reals(const clv_place *at, const char *key, double *out, size_t n,
                             double max, clv_error *err)
{
    const json_t *list;
    clv_status s = clv_field_array(at, key, n, &list, err);
    if (s != CLV_OK) return s;
    for (size_t i = 0; i < n; i++) {
        const json_t *v = json_array_get(list, i);
        if (!json_is_number(v))
            return clv_field_bad(err, at, key, "is too short or holds no numbers");
        out[i] = json_number_value(v);
        if (!(out[i] >= 0 && out[i] <= max))
            return clv_field_bad(err, at, key, "holds a number below 0 or absurdly large");
    }
    return CLV_OK;
}

static clv_status read_kind(const clv_place *at, clv_calibration *c, clv_error *err)
{
    clv_unit_kind k;
    int64_t n = 0;
    clv_status s = read_kind_name(at, "kind", &k, err);
    if (s != CLV_OK) return s;
    clv_calibration_kind *kind = &c->kinds[k];
    if (kind->known) return clv_field_bad(err, at, "kind", "is there twice");
    if (read_reals(at, "merged", kind->merged, CLV_PLACE_MARKS, 1, err) ||
        read_reals(at, "cause_us", kind->cause_us, CLV_CAUSES, CLV_CALIBRATION_US_MAX, err) ||
        clv_field_real(at, "level", -20, 20, &kind->level, err) ||
        read_reals(at, "scale", kind->settings.scale, CLV_PLACE_NUMBERS, 1e3, err) ||
        clv_field_real(at, "signal", 1e-6, 1e3, &kind->settings.signal, err) ||
        clv_field_real(at, "noise", 1e-6, 1e3, &kind->settings.noise, err) ||
        clv_field_real(at, "shared", 0, 1e3, &kind->settings.shared, err) ||
        clv_field_real(at, "error", 0, 1e3, &kind->error, err) ||
        clv_field_count(at, "samples", CLV_CALIBRATION_ROWS_MAX, &n, err))
        return CLV_EINVAL;
    kind->known = true;
    kind->n = (int)n;
    return CLV_OK;
}

static clv_status read_border(const clv_place *root, clv_calibration_border *b, clv_error *err)
{
    clv_place at;
    if (clv_field_object(root, "border", &at, err) ||
        clv_field_real(&at, "run_us", 0, 1e6, &b->run_us, err) ||
        clv_field_real(&at, "unit_us", 0, 1e6, &b->unit_us, err) ||
        clv_field_real(&at, "in_us_per_mb", 0, 1e6, &b->in_us, err) ||
        clv_field_real(&at, "out_us_per_mb", 0, 1e6, &b->out_us, err))
        return CLV_EINVAL;
    return CLV_OK;
}

static clv_status read_head(const clv_place *root, clv_calibration *c, clv_error *err)
{
    int64_t schema = 0, threads = 0;
    if (clv_field_count(root, "calibration", INT64_MAX, &schema, err)) return CLV_EINVAL;
    if (schema != CLV_CALIBRATION_SCHEMA)
        return clv_fail(err, CLV_EMISMATCH, "calibration schema %lld, this program reads %d",
                        (long long)schema, CLV_CALIBRATION_SCHEMA);
    if (clv_field_fixed_text(root, "device", c->device, sizeof c->device, err) ||
        clv_field_fixed_text(root, "engine", c->engine, sizeof c->engine, err) ||
        clv_field_count(root, "threads", 65536, &threads, err) ||
        clv_field_real(root, "slowdown", 1e-3, 1e6, &c->slowdown, err) ||
        clv_field_bool(root, "complete", &c->complete, err))
        return CLV_EINVAL;
    c->threads = (int)threads;
    clv_status s = clv_speed_parse(root, &c->reference, err);
    return s == CLV_OK ? read_border(root, &c->border, err) : s;
}

static clv_status read_all(const json_t *document, clv_calibration *c, clv_error *err)
{
    clv_place root = {.object = document}, at;
    const json_t *kinds, *networks;
    if (!json_is_object(document))
        return clv_fail(err, CLV_EINVAL, "the document must be an object");
    clv_status s = read_head(&root, c, err);
    if (s == CLV_OK) s = clv_field_array(&root, "kinds", CLV_UNIT_KIND_COUNT, &kinds, err);
    if (s == CLV_OK)
        s = clv_field_array(&root, "networks", CLV_CALIBRATION_NETWORKS_MAX, &networks, err);
    if (s != CLV_OK) return s;
    for (size_t i = 0; i < json_array_size(kinds); i++)
        if (clv_field_item(&root, kinds, "kinds", i, &at, err) || read_kind(&at, c, err))
            return CLV_EINVAL;
    clv_grow(&c->networks, &c->cap_networks, json_array_size(networks), sizeof *c->networks);
    for (size_t i = 0; i < json_array_size(networks); i++)
        if (clv_field_item(&root, networks, "networks", i, &at, err) ||
            read_network(&at, &c->networks[c->n_networks++], err))
            return CLV_EINVAL;
    return CLV_OK;
}

static void free_calibration(clv_calibration **c)
{
    clv_calibration_free(*c);
}

clv_status clv_calibration_parse(const char *json, size_t bytes, clv_calibration **out,
                                 clv_error *err)
{
    if (bytes > CLV_CALIBRATION_FILE_MAX)
        return clv_fail(err, CLV_ELIMIT, "%zu bytes, at most %zu are allowed", bytes,
                        (size_t)CLV_CALIBRATION_FILE_MAX);
    json_error_t why;
    CLV_AUTO(clv_json_free)
    json_t *document = json_loadb(json, bytes, JSON_REJECT_DUPLICATES, &why);
    if (!document) return clv_fail(err, CLV_EINVAL, "not JSON: line %d: %s", why.line, why.text);
    CLV_AUTO(free_calibration) clv_calibration *c = clv_alloc(sizeof *c);
    clv_error local = {0};
    if (read_all(document, c, &local)) return clv_fail(err, local.status, "%s", local.text);
    *out = clv_steal(&c);
    return CLV_OK;
}

clv_status clv_calibration_read(const char *path, clv_calibration **out, clv_error *err)
{
    CLV_AUTO(clv_buf_done) clv_buf text = {0};
    clv_status s = clv_file_read(path, CLV_CALIBRATION_FILE_MAX, &text, err);
    if (s == CLV_OK) s = clv_calibration_parse(text.data ? text.data : "", text.len, out, err);
    return s == CLV_OK ? CLV_OK : clv_within(err, "calibration '%s'", path);
}
