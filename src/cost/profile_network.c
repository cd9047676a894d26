/* The network in cost/profile.h: from a graph, to a graph, and out of JSON. */
#include "base/mem.h"
#include "cost/profile_priv.h"

#include <stdlib.h>
#include <string.h>

/* --- a graph into a profile --- */

static int *copy_indices(const int *from, size_t n)
{
    int *to = clv_alloc_array(n, sizeof *to);
    if (n) memcpy(to, from, n * sizeof *to);
    return to;
}

static clv_profile_unit describe_unit(const clv_graph *g, const clv_unit *unit)
{
    clv_profile_unit u = {.name = clv_strdup(unit->name),
                          .op = clv_strdup(unit->op),
                          .macs = unit->macs,
                          .params = unit->params,
                          .weight_bytes = unit->weight_bytes,
                          .features = unit->features,
                          .inputs = copy_indices(unit->inputs, unit->n_inputs),
                          .outputs = copy_indices(unit->outputs, unit->n_outputs),
                          .n_inputs = unit->n_inputs,
                          .n_outputs = unit->n_outputs};
    const clv_graph_tensor *first = unit->n_outputs ? &g->tensors[unit->outputs[0]] : NULL;
    u.shape = clv_strdup(first && first->shape.rank >= 0 ? clv_shape_show(&first->shape).s : "?");
    for (size_t k = 0; k < unit->n_outputs; k++)
        u.output_bytes += g->tensors[unit->outputs[k]].bytes;
    return u;
}

void clv_profile_describe(clv_profile *p, const clv_graph *g)
{
    p->n_units = g->n_units;
    p->n_tensors = g->n_tensors;
    p->units = clv_alloc_array(g->n_units, sizeof *p->units);
    p->tensors = clv_alloc_array(g->n_tensors, sizeof *p->tensors);
    for (size_t i = 0; i < g->n_units; i++) p->units[i] = describe_unit(g, &g->units[i]);
    for (size_t i = 0; i < g->n_tensors; i++) {
        const clv_graph_tensor *t = &g->tensors[i];
        p->tensors[i] = (clv_profile_tensor){clv_strdup(t->name), t->dtype,    t->shape, t->bytes,
                                             t->is_input,         t->is_output};
    }
}

/* --- a profile into a graph --- */

static void free_graph(clv_graph **g)
{
    clv_graph_free(*g);
}

static clv_status add_outputs(clv_graph *g, int u, clv_error *err)
{
    const clv_unit *unit = &g->units[u];
    for (size_t i = 0; i < unit->n_outputs; i++) {
        clv_graph_tensor *t = &g->tensors[unit->outputs[i]];
        if (t->producer != CLV_NO_UNIT)
            return clv_fail(err, CLV_EINVAL, "tensor '%.200s' is made by '%.200s' and by '%.200s'",
                            t->name, g->units[t->producer].name, unit->name);
        t->producer = u;
    }
    return CLV_OK;
}

/* Each consumer once, ascending: a unit may use a tensor twice. */
static void add_consumers(clv_graph *g)
{
    for (size_t u = 0; u < g->n_units; u++)
        for (size_t i = 0; i < g->units[u].n_inputs; i++)
            g->tensors[g->units[u].inputs[i]].n_consumers++;
    for (size_t t = 0; t < g->n_tensors; t++) {
        g->tensors[t].consumers = clv_alloc_array(g->tensors[t].n_consumers, sizeof(int));
        g->tensors[t].n_consumers = 0;
    }
    for (size_t u = 0; u < g->n_units; u++)
        for (size_t i = 0; i < g->units[u].n_inputs; i++) {
            clv_graph_tensor *t = &g->tensors[g->units[u].inputs[i]];
            if (t->n_consumers == 0 || t->consumers[t->n_consumers - 1] != (int)u)
                t->consumers[t->n_consumers++] = (int)u;
        }
}

static void copy_unit(const clv_profile_unit *from, clv_unit *to)
{
    *to = (clv_unit){.name = clv_strdup(from->name),
                     .op = clv_strdup(from->op),
                     .inputs = copy_indices(from->inputs, from->n_inputs),
                     .outputs = copy_indices(from->outputs, from->n_outputs),
                     .n_inputs = from->n_inputs,
                     .n_outputs = from->n_outputs,
                     .macs = from->macs,
                     .params = from->params,
                     .weight_bytes = from->weight_bytes,
                     .features = from->features};
}

clv_status clv_profile_graph(const clv_profile *p, clv_graph **out, clv_error *err)
{
    CLV_AUTO(free_graph) clv_graph *g = clv_alloc(sizeof *g);
    g->units = clv_alloc_array(p->n_units, sizeof *g->units);
    g->tensors = clv_alloc_array(p->n_tensors, sizeof *g->tensors);
    g->n_units = p->n_units;
    g->n_tensors = p->n_tensors;
    for (size_t i = 0; i < p->n_tensors; i++) {
        const clv_profile_tensor *t = &p->tensors[i];
        g->tensors[i] = (clv_graph_tensor){.name = clv_strdup(t->name),
                                           .dtype = t->dtype,
                                           .shape = t->shape,
                                           .bytes = t->bytes,
                                           .producer = CLV_NO_UNIT,
                                           .is_input = t->is_input,
                                           .is_output = t->is_output};
    }
    for (size_t u = 0; u < p->n_units; u++) copy_unit(&p->units[u], &g->units[u]);
    clv_status s = CLV_OK;
    for (size_t u = 0; u < p->n_units && s == CLV_OK; u++) s = add_outputs(g, (int)u, err);
    if (s != CLV_OK) return s;
    add_consumers(g);
    s = clv_graph_check(g, err);
    if (s == CLV_OK) *out = clv_steal(&g);
    return s;
}

/* --- JSON into a profile --- */

static int by_name(const void *a, const void *b)
{
    const struct clv_tensor_name *x = a, *y = b;
    return strcmp(x->name, y->name);
}

clv_tensor_names clv_tensor_names_of(const clv_profile *p)
{
    clv_tensor_names names = {clv_alloc_array(p->n_tensors, sizeof *names.items), p->n_tensors};
    for (size_t i = 0; i < names.n; i++)
        names.items[i] = (struct clv_tensor_name){p->tensors[i].name, (int)i};
    qsort(names.items, names.n, sizeof *names.items, by_name);
    return names;
}

void clv_tensor_names_done(clv_tensor_names *names)
{
    free(names->items);
    *names = (clv_tensor_names){0};
}

int clv_tensor_names_find(const clv_tensor_names *names, const char *name)
{
    struct clv_tensor_name key = {.name = name},
                           *found = bsearch(&key, names->items, names->n, sizeof key, by_name);
    return found ? found->index : -1;
}

static clv_status get_shape(const clv_place *at, clv_shape *out, clv_error *err)
{
    out->rank = -1;
    if (json_is_null(json_object_get(at->object, "shape"))) return CLV_OK;
    const json_t *dims;
    clv_status s = clv_field_array(at, "shape", CLV_RANK_MAX, &dims, err);
    if (s != CLV_OK) return s;
    for (size_t i = 0; i < json_array_size(dims); i++) {
        const json_t *v = json_array_get(dims, i);
        int64_t dim = json_is_integer(v) ? json_integer_value(v) : -1;
        if (dim < 0 || dim > CLV_PROFILE_BYTES_MAX)
            return clv_field_bad(err, at, "shape", "a dimension is an integer from 0 to 2^40");
        out->dim[i] = dim;
    }
    out->rank = (int)json_array_size(dims);
    return CLV_OK;
}

static clv_status get_dtype(const clv_place *at, clv_dtype *out, clv_error *err)
{
    char name[16];
    if (json_is_null(json_object_get(at->object, "dtype"))) return CLV_OK;
    clv_status s = clv_field_fixed_text(at, "dtype", name, sizeof name, err);
    if (s != CLV_OK) return s;
    *out = clv_dtype_from_oip(name);
    return *out ? CLV_OK : clv_field_bad(err, at, "dtype", "must be one such as \"FP32\", or null");
}

static clv_status get_tensor(const clv_place *at, clv_profile_tensor *t, clv_error *err)
{
    int64_t bytes = 0;
    size_t count = 0;
    if (clv_field_text(at, "name", CLV_NAME_MAX, &t->name, err) || get_dtype(at, &t->dtype, err) ||
        get_shape(at, &t->shape, err) ||
        clv_field_count(at, "bytes", CLV_PROFILE_BYTES_MAX, &bytes, err) ||
        clv_field_bool(at, "input", &t->is_input, err) ||
        clv_field_bool(at, "output", &t->is_output, err))
        return CLV_EINVAL;
    t->bytes = (size_t)bytes;
    size_t one = clv_dtype_bytes(t->dtype), want = 0; /* of an unknown dtype or shape: none */
    if (one && t->shape.rank >= 0 && clv_shape_count(&t->shape, &count, NULL) == CLV_OK &&
        count <= (size_t)CLV_PROFILE_BYTES_MAX)
        want = count * one;
    if (t->bytes != want)
        return clv_fail(err, CLV_EINVAL, "field '%sbytes': %zu, by dtype and shape it is %zu",
                        at->path, t->bytes, want);
    return CLV_OK;
}

clv_status clv_features_parse(const clv_place *at, clv_unit_features *f, clv_error *err)
{
    char kind[32];
    int64_t v = 0;
    clv_status s = clv_field_fixed_text(at, "kind", kind, sizeof kind, err);
    if (s != CLV_OK) return s;
    int k = clv_unit_kind_parse(kind);
    if (k < 0) return clv_field_bad(err, at, "kind", "is no kind of unit that is known here");
    f->kind = (clv_unit_kind)k;
#define X(field, max)                                                                              \
    if (clv_field_count(at, #field, max, &v, err)) return CLV_EINVAL;                              \
    f->field = (__typeof__(f->field))v;
    CLV_PROFILE_FEATURE_MAP(X)
#undef X
    return CLV_OK;
}

static clv_status get_features(const clv_place *at, clv_unit_features *f, clv_error *err)
{
    clv_place here;
    clv_status s = clv_field_object(at, "features", &here, err);
    return s == CLV_OK ? clv_features_parse(&here, f, err) : s;
}

/* Names of tensors into indices. `links` counts those of all units. */
static clv_status get_links(const clv_place *at, const char *key, const clv_tensor_names *names,
                            int **indices, size_t *n, size_t *links, clv_error *err)
{
    const json_t *list;
    clv_status s = clv_field_array(at, key, CLV_GRAPH_TENSORS_MAX, &list, err);
    if (s != CLV_OK) return s;
    *links += json_array_size(list);
    if (*links > CLV_PROFILE_LINKS_MAX)
        return clv_fail(err, CLV_ELIMIT, "field '%s%s': all units together have more than %d",
                        at->path, key, CLV_PROFILE_LINKS_MAX);
    *indices = clv_alloc_array(json_array_size(list), sizeof **indices);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *v = json_array_get(list, i);
        s = clv_field_check_text(v, CLV_NAME_MAX, at, key, err);
        if (s != CLV_OK) return s;
        int t = clv_tensor_names_find(names, json_string_value(v));
        if (t < 0)
            return clv_fail(err, CLV_EINVAL, "field '%s%s': '%.200s' is none of 'tensors'",
                            at->path, key, json_string_value(v));
        (*indices)[(*n)++] = t;
    }
    return CLV_OK;
}

static clv_status get_unit(const clv_place *at, const clv_tensor_names *names,
                           clv_profile_unit *unit, size_t *links, clv_error *err)
{
    int64_t bytes = 0, macs = 0, params = 0, weight_bytes = 0;
    if (clv_field_text(at, "name", CLV_NAME_MAX, &unit->name, err) ||
        clv_field_text(at, "op", CLV_NAME_MAX, &unit->op, err) ||
        clv_field_text(at, "shape", CLV_NAME_MAX, &unit->shape, err) ||
        clv_field_count(at, "output_bytes", CLV_PROFILE_BYTES_MAX, &bytes, err) ||
        clv_field_count(at, "macs", INT64_MAX, &macs, err) ||
        clv_field_count(at, "params", INT64_MAX, &params, err) ||
        clv_field_count(at, "weight_bytes", CLV_PROFILE_BYTES_MAX, &weight_bytes, err) ||
        get_links(at, "inputs", names, &unit->inputs, &unit->n_inputs, links, err) ||
        get_links(at, "outputs", names, &unit->outputs, &unit->n_outputs, links, err) ||
        get_features(at, &unit->features, err) ||
        clv_field_real(at, "us", 0, CLV_PROFILE_US_MAX, &unit->us, err))
        return CLV_EINVAL;
    unit->output_bytes = (size_t)bytes;
    unit->macs = (uint64_t)macs;
    unit->params = (uint64_t)params;
    unit->weight_bytes = (uint64_t)weight_bytes;
    return CLV_OK;
}

static clv_status get_units(const clv_place *root, clv_profile *p, clv_error *err)
{
    const json_t *units;
    clv_status s = clv_field_array(root, "units", CLV_UNITS_MAX, &units, err);
    if (s != CLV_OK) return s;
    CLV_AUTO(clv_tensor_names_done) clv_tensor_names names = clv_tensor_names_of(p);
    size_t links = 0;
    p->units = clv_alloc_array(json_array_size(units), sizeof *p->units);
    for (size_t i = 0; i < json_array_size(units) && s == CLV_OK; i++) {
        clv_place at;
        clv_profile_unit *unit =
            &p->units[p->n_units++]; /* counted first: a half-read one is freed */
        s = clv_field_item(root, units, "units", i, &at, err);
        if (s == CLV_OK) s = get_unit(&at, &names, unit, &links, err);
    }
    return s;
}

clv_status clv_profile_parse_network(const clv_place *root, clv_profile *p, clv_error *err)
{
    const json_t *tensors;
    clv_status s = clv_field_array(root, "tensors", CLV_GRAPH_TENSORS_MAX, &tensors, err);
    if (s != CLV_OK) return s;
    p->tensors = clv_alloc_array(json_array_size(tensors), sizeof *p->tensors);
    for (size_t i = 0; i < json_array_size(tensors) && s == CLV_OK; i++) {
        clv_place at;
        clv_profile_tensor *t = &p->tensors[p->n_tensors++];
        s = clv_field_item(root, tensors, "tensors", i, &at, err);
        if (s == CLV_OK) s = get_tensor(&at, t, err);
    }
    if (s == CLV_OK) s = get_units(root, p, err);
    if (s != CLV_OK) return s;
    CLV_AUTO(free_graph) clv_graph *g = NULL;
    s = clv_profile_graph(p, &g, err);
    return s == CLV_OK ? CLV_OK : clv_within(err, "fields 'units' and 'tensors'");
}
