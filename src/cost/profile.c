#include "cost/profile.h"

#include "base/file.h"
#include "cost/profile_priv.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void clv_profile_free(clv_profile *p)
{
    if (!p) return;
    for (size_t i = 0; i < p->n_cuts; i++) {
        free(p->cuts[i].label);
        for (size_t k = 0; k < p->cuts[i].n_live; k++) free(p->cuts[i].live[k]);
        free(p->cuts[i].live);
    }
    for (size_t i = 0; i < p->n_units; i++) {
        free(p->units[i].name);
        free(p->units[i].op);
        free(p->units[i].shape);
        free(p->units[i].inputs);
        free(p->units[i].outputs);
    }
    for (size_t i = 0; i < p->n_tensors; i++) free(p->tensors[i].name);
    clv_profile_codecs_done(p);
    free(p->cuts);
    free(p->units);
    free(p->tensors);
    free(p);
}

bool clv_profile_has_prefix(const clv_profile *p, size_t cut)
{
    return cut == 0 || p->cuts[cut].prefix.n > 0;
}

bool clv_profile_has_suffix(const clv_profile *p, size_t cut)
{
    return cut + 1 == p->n_cuts || p->cuts[cut].suffix.n > 0;
}

static void scale(clv_time *t, double factor)
{
    t->us *= factor;
    t->sigma_us *= factor;
}

void clv_profile_scale(clv_profile *p, double factor)
{
    for (size_t i = 0; i < p->n_cuts; i++) {
        scale(&p->cuts[i].prefix, factor);
        scale(&p->cuts[i].suffix, factor);
    }
    for (size_t u = 0; u < p->n_units; u++) p->units[u].us *= factor;
}

/* Nanoseconds are as fine as a clock is: the rest of a double's digits is noise in the file. */
static json_t *real_us(double us)
{
    return json_real(round(us * 1000) / 1000);
}

static json_t *text_json(const char *text)
{
    return json_stringn_nocheck(text, strlen(text));
}

static json_t *time_json(const clv_time *t)
{
    return json_pack("{s:o,s:o,s:i}", "us", real_us(t->us), "sigma_us", real_us(t->sigma_us), "n",
                     t->n);
}

static json_t *cut_json(const clv_profile_cut *c)
{
    json_t *live = json_array();
    for (size_t i = 0; i < c->n_live; i++) json_array_append_new(live, text_json(c->live[i]));
    json_t *o = json_object();
    json_object_set_new(o, "label", text_json(c->label));
    json_object_set_new(o, "live", live);
    json_object_set_new(o, "up_bytes", json_integer((json_int_t)c->up_bytes));
    json_object_set_new(o, "down_bytes", json_integer((json_int_t)c->down_bytes));
    json_object_set_new(o, "prefix", time_json(&c->prefix));
    json_object_set_new(o, "suffix", time_json(&c->suffix));
    return o;
}

static json_t *names_json(const clv_profile *p, const int *tensors, size_t n)
{
    json_t *names = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(names, text_json(p->tensors[tensors[i]].name));
    return names;
}

json_t *clv_features_json(const clv_unit_features *f)
{
    json_t *o = json_object();
    json_object_set_new(o, "kind", json_string(clv_unit_kind_name(f->kind)));
#define X(field, max) json_object_set_new(o, #field, json_integer((json_int_t)f->field));
    CLV_PROFILE_FEATURE_MAP(X)
#undef X
    return o;
}

static json_t *unit_json(const clv_profile *p, const clv_profile_unit *u)
{
    json_t *o = json_object();
    json_object_set_new(o, "name", text_json(u->name));
    json_object_set_new(o, "op", text_json(u->op));
    json_object_set_new(o, "shape", text_json(u->shape));
    json_object_set_new(o, "output_bytes", json_integer((json_int_t)u->output_bytes));
    json_object_set_new(o, "macs", json_integer((json_int_t)u->macs));
    json_object_set_new(o, "params", json_integer((json_int_t)u->params));
    json_object_set_new(o, "weight_bytes", json_integer((json_int_t)u->weight_bytes));
    json_object_set_new(o, "inputs", names_json(p, u->inputs, u->n_inputs));
    json_object_set_new(o, "outputs", names_json(p, u->outputs, u->n_outputs));
    json_object_set_new(o, "features", clv_features_json(&u->features));
    json_object_set_new(o, "us", real_us(u->us));
    return o;
}

static json_t *tensor_json(const clv_profile_tensor *t)
{
    json_t *o = json_object(), *shape = t->shape.rank >= 0 ? json_array() : json_null();
    for (int i = 0; i < t->shape.rank; i++)
        json_array_append_new(shape, json_integer(t->shape.dim[i]));
    json_object_set_new(o, "name", text_json(t->name));
    json_object_set_new(o, "dtype", t->dtype ? json_string(clv_dtype_oip(t->dtype)) : json_null());
    json_object_set_new(o, "shape", shape);
    json_object_set_new(o, "bytes", json_integer((json_int_t)t->bytes));
    json_object_set_new(o, "input", json_boolean(t->is_input));
    json_object_set_new(o, "output", json_boolean(t->is_output));
    return o;
}

static json_t *power_json(const clv_power *p)
{
    return json_pack("{s:f,s:f,s:i,s:s}", "idle_w", p->idle_w, "active_w_per_core",
                     p->active_w_per_core, "cores", p->cores, "source",
                     clv_power_source_name(p->source));
}

static char *profile_text(const clv_profile *p, size_t flags)
{
    json_t *cuts = json_array(), *units = json_array(), *tensors = json_array();
    json_t *root = json_object();
    for (size_t i = 0; i < p->n_cuts; i++) json_array_append_new(cuts, cut_json(&p->cuts[i]));
    for (size_t i = 0; i < p->n_units; i++)
        json_array_append_new(units, unit_json(p, &p->units[i]));
    for (size_t i = 0; i < p->n_tensors; i++)
        json_array_append_new(tensors, tensor_json(&p->tensors[i]));
    json_object_set_new(root, "schema", json_integer(CLV_PROFILE_SCHEMA));
    json_object_set_new(root, "model", text_json(p->model));
    json_object_set_new(root, "digest", json_string(p->digest));
    json_object_set_new(root, "device", text_json(p->device));
    json_object_set_new(root, "engine", text_json(p->engine));
    json_object_set_new(root, "threads", json_integer(p->threads));
    json_object_set_new(root, "slowdown", json_real(p->slowdown));
    if (clv_power_known(&p->power)) json_object_set_new(root, "power", power_json(&p->power));
    if (p->price_per_s > 0) json_object_set_new(root, "price_per_s", json_real(p->price_per_s));
    clv_speed_json(&p->reference, root);
    json_object_set_new(root, "cuts", cuts);
    clv_profile_codecs_json(p, root);
    json_object_set_new(root, "units", units);
    json_object_set_new(root, "tensors", tensors);
    char *text = json_dumps(root, flags | JSON_REAL_PRECISION(15));
    json_decref(root);
    return text;
}

char *clv_profile_json(const clv_profile *p)
{
    return profile_text(p, JSON_COMPACT);
}

clv_status clv_profile_read(const char *path, clv_profile **out, clv_error *err)
{
    CLV_AUTO(clv_buf_done) clv_buf text = {0};
    clv_status s = clv_file_read(path, CLV_PROFILE_FILE_MAX, &text, err);
    if (s != CLV_OK) return s;
    if (clv_profile_parse(text.data ? text.data : "", text.len, out, err))
        return clv_within(err, "profile '%s'", path);
    return CLV_OK;
}

clv_status clv_profile_write(const char *path, const clv_profile *p, clv_error *err)
{
    CLV_AUTO(clv_text_free) char *text = profile_text(p, JSON_INDENT(1));
    if (!text) return clv_fail(err, CLV_EINTERNAL, "profile '%s': cannot be written as JSON", path);
    CLV_AUTO(clv_buf_done) clv_buf b = {0};
    clv_buf_text(&b, text);
    clv_buf_char(&b, '\n');
    return clv_file_write(path, b.data, b.len, err);
}
