/* Codecs in a profile: kept, written, read. */
#include "base/mem.h"
#include "cost/profile_priv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void codec_done(clv_profile_codec *c)
{
    free(c->cut_bytes);
    free(c->cut_drop);
    free(c->cut_accuracy);
}

void clv_profile_codecs_done(clv_profile *p)
{
    for (size_t i = 0; i < p->n_codecs; i++) codec_done(&p->codecs[i]);
    free(p->codecs);
    p->codecs = NULL;
    p->n_codecs = 0;
}

clv_profile_codec *clv_profile_codec_find(const clv_profile *p, const char *name)
{
    for (size_t i = 0; i < p->n_codecs; i++)
        if (strcmp(p->codecs[i].name, name) == 0) return &p->codecs[i];
    return NULL;
}

clv_profile_codec *clv_profile_codec_add(clv_profile *p, const char *name)
{
    clv_profile_codec *known = clv_profile_codec_find(p, name);
    if (known) return known;
    if (!p->codecs) p->codecs = clv_alloc_array(CLV_PROFILE_CODECS_MAX, sizeof *p->codecs);
    clv_profile_codec *c = &p->codecs[p->n_codecs++];
    snprintf(c->name, sizeof c->name, "%s", name);
    c->cut_bytes = clv_alloc_array(p->n_cuts, sizeof *c->cut_bytes);
    return c;
}

static double *copied(const double *x, size_t n)
{
    if (!x) return NULL;
    double *copy = clv_alloc_array(n, sizeof *copy);
    memcpy(copy, x, n * sizeof *copy);
    return copy;
}

static bool same_cuts(const clv_profile *a, const clv_profile *b)
{
    if (strcmp(a->digest, b->digest) != 0 || a->n_cuts != b->n_cuts) return false;
    for (size_t i = 0; i < a->n_cuts; i++)
        if (strcmp(a->cuts[i].label, b->cuts[i].label) != 0) return false;
    return true;
}

void clv_profile_take_data(clv_profile *p, const clv_profile *from)
{
    if (from->samples == 0 || !same_cuts(p, from)) return;
    memcpy(p->data, from->data, sizeof p->data);
    p->samples = from->samples;
    p->accuracy = from->accuracy;
    for (size_t i = 0; i < from->n_codecs; i++) {
        const clv_profile_codec *source = &from->codecs[i];
        if (!clv_profile_codec_find(p, source->name) && p->n_codecs == CLV_PROFILE_CODECS_MAX)
            continue;
        clv_profile_codec *c = clv_profile_codec_add(p, source->name);
        free(c->cut_bytes);
        free(c->cut_drop);
        free(c->cut_accuracy);
        c->cut_bytes = copied(source->cut_bytes, p->n_cuts);
        c->cut_drop = copied(source->cut_drop, p->n_cuts);
        c->cut_accuracy = copied(source->cut_accuracy, p->n_cuts);
    }
}

/* ---- JSON ---- */

/* As many digits as were measured: a tenth of a byte, a thousandth of a microsecond, a millionth. */
static json_t *rounded(double x, double steps)
{
    return json_real(round(x * steps) / steps);
}

static void set_reals(json_t *o, const char *key, const double *x, size_t n, double steps)
{
    json_t *array = json_array();
    for (size_t i = 0; i < n; i++) json_array_append_new(array, rounded(x[i], steps));
    json_object_set_new(o, key, array);
}

static bool any(const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (x[i] > 0) return true;
    return false;
}

void clv_profile_codecs_json(const clv_profile *p, json_t *root)
{
    if (p->samples > 0) {
        json_object_set_new(root, "data", json_stringn_nocheck(p->data, strlen(p->data)));
        json_object_set_new(root, "samples", json_integer(p->samples));
        json_object_set_new(root, "accuracy", rounded(p->accuracy, 1e6));
    }
    if (p->n_codecs == 0) return;
    json_t *codecs = json_array();
    for (size_t i = 0; i < p->n_codecs; i++) {
        const clv_profile_codec *c = &p->codecs[i];
        json_t *o = json_object();
        json_object_set_new(o, "name", json_string(c->name));
        json_object_set_new(o, "encode_us_per_mb", rounded(c->encode_us_per_mb, 1e3));
        json_object_set_new(o, "decode_us_per_mb", rounded(c->decode_us_per_mb, 1e3));
        if (any(c->cut_bytes, p->n_cuts)) set_reals(o, "cut_bytes", c->cut_bytes, p->n_cuts, 10);
        if (c->cut_drop) set_reals(o, "cut_drop", c->cut_drop, p->n_cuts, 1e6);
        if (c->cut_accuracy) set_reals(o, "cut_accuracy", c->cut_accuracy, p->n_cuts, 1e6);
        json_array_append_new(codecs, o);
    }
    json_object_set_new(root, "codecs", codecs);
}

static clv_status get_data(const clv_place *root, clv_profile *p, clv_error *err)
{
    int64_t samples = 0;
    if (!json_object_get(root->object, "data") && !json_object_get(root->object, "samples") &&
        !json_object_get(root->object, "accuracy"))
        return CLV_OK;
    if (clv_field_fixed_text(root, "data", p->data, sizeof p->data, err) ||
        clv_field_count(root, "samples", INT32_MAX, &samples, err) ||
        clv_field_real(root, "accuracy", 0, 1, &p->accuracy, err))
        return CLV_EINVAL;
    if (samples < 1 || !p->data[0])
        return clv_field_bad(err, root, samples < 1 ? "samples" : "data",
                             "must not be empty where an accuracy was measured");
    p->samples = (int)samples;
    return CLV_OK;
}

/* Present or not. */
static clv_status get_reals(const clv_place *at, const char *key, size_t n, double max,
                            double **out, clv_error *err)
{
    double *items = NULL;
    if (!json_object_get(at->object, key)) return CLV_OK;
    clv_status s = clv_field_reals(at, key, n, 0, max, &items, err);
    if (s != CLV_OK) return s;
    free(*out);
    *out = items;
    return CLV_OK;
}

static clv_status get_codec(const clv_place *at, clv_profile *p, clv_error *err)
{
    char name[sizeof p->codecs->name];
    clv_status s = clv_field_fixed_text(at, "name", name, sizeof name, err);
    if (s != CLV_OK) return s;
    if (!name[0] || strcmp(name, "raw") == 0)
        return clv_field_bad(err, at, "name", "must be that of a codec other than raw");
    if (clv_profile_codec_find(p, name)) return clv_field_bad(err, at, "name", "is there twice");
    clv_profile_codec *c = clv_profile_codec_add(p, name);
    if (clv_field_real(at, "encode_us_per_mb", 0, CLV_PROFILE_US_MAX, &c->encode_us_per_mb, err) ||
        clv_field_real(at, "decode_us_per_mb", 0, CLV_PROFILE_US_MAX, &c->decode_us_per_mb, err) ||
        get_reals(at, "cut_bytes", p->n_cuts, (double)CLV_PROFILE_BYTES_MAX, &c->cut_bytes, err) ||
        get_reals(at, "cut_drop", p->n_cuts, 1, &c->cut_drop, err) ||
        get_reals(at, "cut_accuracy", p->n_cuts, 1, &c->cut_accuracy, err))
        return CLV_EINVAL;
    if ((c->cut_drop || c->cut_accuracy) && p->samples == 0)
        return clv_field_bad(err, at, "cut_drop", "was measured on no data: 'samples' is missing");
    if (!c->cut_drop != !c->cut_accuracy)
        return clv_field_bad(err, at, "cut_drop", "and 'cut_accuracy' come together");
    return CLV_OK;
}

clv_status clv_profile_parse_codecs(const clv_place *root, clv_profile *p, clv_error *err)
{
    const json_t *codecs;
    clv_status s = get_data(root, p, err);
    if (s != CLV_OK || !json_object_get(root->object, "codecs")) return s;
    s = clv_field_array(root, "codecs", CLV_PROFILE_CODECS_MAX, &codecs, err);
    for (size_t i = 0; s == CLV_OK && i < json_array_size(codecs); i++) {
        clv_place at;
        s = clv_field_item(root, codecs, "codecs", i, &at, err);
        if (s == CLV_OK) s = get_codec(&at, p, err);
    }
    return s;
}
