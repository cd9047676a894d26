#include "onnx/units.h"
#include "onnx/units_priv.h"

#include <stdlib.h>
#include <string.h>

/* ---- reading the optimised graphs ---- */

static clv_status unpack(clv_budget *budget, const void *bytes, size_t n, Onnx__ModelProto **out,
                         clv_error *err)
{
    clv_budget_init(budget, CLV_UNITS_MEMORY_MAX);
    *out = onnx__model_proto__unpack(&budget->allocator, n, bytes);
    if (!*out || !(*out)->graph)
        return clv_fail(err, CLV_EENGINE, "the engine's optimised graph (%zu bytes) cannot be read",
                        n);
    return CLV_OK;
}

static void read_value_list(clv_units *u, Onnx__ValueInfoProto **list, size_t n, bool two)
{
    for (size_t i = 0; i < n; i++) {
        int value = list[i]->name ? clv_names_get(&u->m->value_of, list[i]->name) : -1;
        if (value < 0) continue;
        clv_tensor_spec spec;
        clv_spec_read(list[i], &spec);
        clv_value_info *info = &u->info[value];
        if (two) {
            info->shape_two = spec.shape;
        } else {
            info->dtype = spec.dtype;
            info->shape = info->shape_two = spec.shape;
        }
    }
}

static void read_values(clv_units *u, const Onnx__GraphProto *g, bool two)
{
    read_value_list(u, g->value_info, g->n_value_info, two);
    read_value_list(u, g->input, g->n_input, two);
    read_value_list(u, g->output, g->n_output, two);
}

/* Stored tensors know their own shape. */
static void read_stored(clv_units *u)
{
    const Onnx__GraphProto *g = u->m->proto->graph;
    for (size_t i = 0; i < g->n_initializer; i++) {
        const Onnx__TensorProto *t = g->initializer[i];
        clv_value_info *info = &u->info[clv_names_get(&u->m->value_of, t->name)];
        info->dtype = clv_dtype_from_onnx(t->data_type);
        info->shape.rank = (int)t->n_dims;
        for (size_t k = 0; k < t->n_dims; k++) info->shape.dim[k] = t->dims[k];
        info->shape_two = info->shape;
    }
}

/* ---- folded values ---- */

static bool same_bytes(const void *a, size_t n_a, const void *b, size_t n_b)
{
    return n_a == n_b && (n_a == 0 || memcmp(a, b, n_a) == 0);
}

static bool same_tensor(const Onnx__TensorProto *a, const Onnx__TensorProto *b)
{
    if (!b || a->data_type != b->data_type) return false;
    if (a->n_string_data || b->n_string_data) return false; /* text: taken as different */
    return same_bytes(a->dims, a->n_dims * sizeof *a->dims, b->dims, b->n_dims * sizeof *b->dims) &&
           same_bytes(a->raw_data.data, a->raw_data.len, b->raw_data.data, b->raw_data.len) &&
           same_bytes(a->float_data, a->n_float_data * 4, b->float_data, b->n_float_data * 4) &&
           same_bytes(a->int32_data, a->n_int32_data * 4, b->int32_data, b->n_int32_data * 4) &&
           same_bytes(a->int64_data, a->n_int64_data * 8, b->int64_data, b->n_int64_data * 8) &&
           same_bytes(a->double_data, a->n_double_data * 8, b->double_data, b->n_double_data * 8) &&
           same_bytes(a->uint64_data, a->n_uint64_data * 8, b->uint64_data, b->n_uint64_data * 8);
}

static const Onnx__TensorProto *find_tensor(const Onnx__GraphProto *g, const char *name)
{
    for (size_t i = 0; g && i < g->n_initializer; i++)
        if (g->initializer[i]->name && strcmp(g->initializer[i]->name, name) == 0)
            return g->initializer[i];
    return NULL;
}

/* What was an operator's result and is now a constant, although it depends on an input (on its
 * shape). Values that were left out for their size are not known and stay operators. */
static void read_folded(clv_units *u, const Onnx__GraphProto *two)
{
    const Onnx__GraphProto *g = u->optimised->graph;
    for (size_t i = 0; i < g->n_initializer; i++) {
        const Onnx__TensorProto *t = g->initializer[i];
        int value = t->name ? clv_names_get(&u->m->value_of, t->name) : -1;
        if (value < 0 || u->m->values[value].constant || u->m->values[value].kind != CLV_VALUE_NODE)
            continue;
        if (clv_tensor_is_external(t)) continue;
        u->info[value].folded = t;
        u->info[value].follows = two && !same_tensor(t, find_tensor(two, t->name));
    }
}

/* ---- the graph ---- */

static bool is_crossing(const clv_shape *s, clv_dtype dtype)
{
    size_t count;
    return clv_dtype_bytes(dtype) && s->rank >= 0 && clv_shape_count(s, &count, NULL) == CLV_OK;
}

static void fill_tensor(const clv_units *u, int value, clv_graph_tensor *t)
{
    const clv_value_info *info = &u->info[value];
    *t = (clv_graph_tensor){
        .name = clv_strdup(u->m->values[value].name), .dtype = info->dtype, .shape = info->shape};
    t->producer = info->group >= 0 ? info->group : CLV_NO_UNIT;
    t->is_input = u->m->values[value].kind == CLV_VALUE_INPUT;
    size_t count = 0;
    if (is_crossing(&info->shape, info->dtype) &&
        clv_shape_count(&info->shape, &count, NULL) == CLV_OK)
        t->bytes = count * clv_dtype_bytes(info->dtype);
    else
        t->shape = (clv_shape){.rank = -1};
}

static int graph_tensor(clv_units *u, int value)
{
    if (u->info[value].tensor < 0) {
        u->info[value].tensor = (int)u->graph->n_tensors;
        fill_tensor(u, value, &u->graph->tensors[u->graph->n_tensors++]);
    }
    return u->info[value].tensor;
}

static void add_consumer(clv_graph_tensor *t, int unit)
{
    int *list = realloc(t->consumers, (t->n_consumers + 1) * sizeof *list);
    if (!list) abort();
    t->consumers = list;
    list[t->n_consumers++] = unit;
}

static int by_number(const void *a, const void *b)
{
    int x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* The engine's name where it is one of the original's ("conv1"), else that of the node which makes
 * the first output, else the output's own, else one with a number behind. */
static char *unit_name(const clv_units *u, const clv_group *g, const clv_names *own,
                       const clv_names *taken)
{
    const char *tries[3] = {u->optimised ? u->optimised->graph->node[g->first]->name : NULL};
    if (g->n_outputs) {
        const clv_value *v = &u->m->values[g->outputs[0]];
        if (v->kind == CLV_VALUE_NODE) tries[1] = u->m->proto->graph->node[v->source]->name;
        tries[2] = v->name;
    }
    if (tries[0] && clv_names_get(own, tries[0]) < 0) tries[0] = NULL;
    const char *name = u->whole ? "model" : "unit";
    for (size_t i = 0; i < CLV_COUNT(tries); i++) {
        if (!tries[i] || !*tries[i]) continue;
        name = tries[i];
        if (clv_names_get(taken, name) < 0) break;
    }
    char *unique = clv_strdup(name);
    for (int i = 2; clv_names_get(taken, unique) >= 0; i++) {
        free(unique);
        unique = clv_format("%s#%d", name, i);
    }
    return unique;
}

static void fill_unit(clv_units *u, size_t i, const clv_names *own, clv_names *taken)
{
    clv_group *g = &u->groups[i];
    clv_unit *unit = &u->graph->units[i];
    unit->name = unit_name(u, g, own, taken);
    clv_names_set(taken, unit->name, (int)i);
    unit->op = u->whole ? clv_strdup("Model") : clv_unit_op(u, g);
    unit->inputs = clv_alloc_array(g->n_inputs, sizeof(int));
    unit->outputs = clv_alloc_array(g->n_outputs, sizeof(int));
    if (g->n_inputs) qsort(g->inputs, g->n_inputs, sizeof(int), by_number);
    for (size_t k = 0; k < g->n_inputs; k++) {
        int t = graph_tensor(u, g->inputs[k]);
        unit->inputs[unit->n_inputs++] = t;
        add_consumer(&u->graph->tensors[t], (int)i);
    }
    for (size_t k = 0; k < g->n_outputs; k++)
        unit->outputs[unit->n_outputs++] = graph_tensor(u, g->outputs[k]);
}

static clv_status build_graph(clv_units *u, clv_error *err)
{
    const Onnx__GraphProto *g = u->m->proto->graph;
    clv_graph *graph = u->graph = clv_alloc(sizeof *graph);
    graph->n_units = u->n_groups;
    graph->units = clv_alloc_array(u->n_groups, sizeof *graph->units);
    graph->tensors = clv_alloc_array(u->m->n_values, sizeof *graph->tensors);
    CLV_AUTO(clv_free) bool *nodes = clv_alloc_array(g->n_node, sizeof *nodes);
    CLV_AUTO(clv_free) bool *values = clv_alloc_array(u->m->n_values, sizeof *values);
    clv_names own = {0}, taken = {0};
    for (size_t i = 0; i < g->n_node; i++)
        if (g->node[i]->name) clv_names_set(&own, g->node[i]->name, (int)i);
    for (size_t i = 0; i < u->n_groups; i++) {
        fill_unit(u, i, &own, &taken);
        clv_unit_count(u, &u->groups[i], nodes, values, &graph->units[i]);
        clv_unit_describe(u, &u->groups[i], &graph->units[i]);
    }
    clv_names_done(&own);
    clv_names_done(&taken);
    for (size_t i = 0; i < g->n_output; i++) {
        int tensor = u->info[clv_names_get(&u->m->value_of, g->output[i]->name)].tensor;
        if (tensor < 0 || graph->tensors[tensor].is_input)
            return clv_fail(err, CLV_EUNSUPPORTED, "the output '%s' is no operator's result",
                            g->output[i]->name);
        graph->tensors[tensor].is_output = true;
    }
    for (size_t i = 0; i < graph->n_tensors; i++)
        if (graph->tensors[i].is_input && graph->tensors[i].shape.rank < 0)
            return clv_fail(err, CLV_EUNSUPPORTED, "the shape of the input '%s' is not known",
                            graph->tensors[i].name);
    if (graph->n_tensors > CLV_GRAPH_TENSORS_MAX)
        return clv_fail(err, CLV_EUNSUPPORTED, "%zu tensors between its units, the limit is %d",
                        graph->n_tensors, CLV_GRAPH_TENSORS_MAX);
    return clv_graph_check(graph, err);
}

static clv_units *units_new(const clv_onnx *m)
{
    clv_units *u = clv_alloc(sizeof *u);
    u->m = m;
    u->info = clv_alloc_array(m->n_values, sizeof *u->info);
    u->in_unit = clv_alloc_array(m->proto->graph->n_node, sizeof *u->in_unit);
    for (size_t i = 0; i < m->n_values; i++)
        u->info[i] =
            (clv_value_info){.group = -1, .tensor = -1, .shape.rank = -1, .shape_two.rank = -1};
    read_stored(u);
    return u;
}

static clv_status find_units(clv_units *u, const void *one, size_t n_one,
                             const Onnx__GraphProto *two, clv_error *err)
{
    clv_status status = unpack(&u->budget, one, n_one, &u->optimised, err);
    if (status) return status;
    read_values(u, u->optimised->graph, false);
    if (two) read_values(u, two, true);
    u->batch_known = two != NULL;
    read_folded(u, two);
    status = clv_units_group(u, err);
    return status ? status : build_graph(u, err);
}

clv_status clv_units_find(const clv_onnx *m, const void *one, size_t n_one, const void *two,
                          size_t n_two, clv_units **out, clv_error *err)
{
    clv_budget budget;
    Onnx__ModelProto *second = NULL;
    clv_units *u = units_new(m);
    clv_status status = two ? unpack(&budget, two, n_two, &second, err) : CLV_OK;
    if (!status) status = find_units(u, one, n_one, second ? second->graph : NULL, err);
    if (second) onnx__model_proto__free_unpacked(second, &budget.allocator);
    if (status)
        clv_units_free(u);
    else
        *out = u;
    return status;
}

/* ---- a model that is not cut ---- */

static void declare(clv_units *u, const clv_tensor_spec *specs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        clv_value_info *info = &u->info[clv_names_get(&u->m->value_of, specs[i].name)];
        info->dtype = specs[i].dtype;
        info->shape = specs[i].shape;
        if (info->shape.rank > 0 && info->shape.dim[0] < 0) info->shape.dim[0] = 1;
        info->shape_two = info->shape;
    }
}

clv_units *clv_units_whole(const clv_onnx *m)
{
    clv_units *u = units_new(m);
    const Onnx__GraphProto *g = m->proto->graph;
    u->whole = u->batch_known = true;
    u->groups = clv_alloc_array(1, sizeof *u->groups);
    u->n_groups = 1;
    declare(u, m->outputs, g->n_output);
    declare(u, m->inputs, g->n_input);
    clv_group *group = u->groups;
    for (size_t i = 0; i < g->n_node; i++)
        clv_push(&group->nodes, &group->n_nodes, &group->cap_nodes, (int)i);
    for (size_t i = 0; i < m->n_values; i++)
        if (m->values[i].kind == CLV_VALUE_INPUT)
            clv_push(&group->inputs, &group->n_inputs, &group->cap_inputs, (int)i);
    for (size_t i = 0; i < g->n_output; i++) {
        int value = clv_names_get(&m->value_of, g->output[i]->name);
        if (u->info[value].group >= 0 || m->values[value].kind == CLV_VALUE_INPUT) continue;
        clv_push(&group->outputs, &group->n_outputs, &group->cap_outputs, value);
        u->info[value].group = 0;
    }
    clv_error ignored = {0}; /* an output that is an input is why it is not cut */
    clv_status status = build_graph(u, &ignored);
    (void)status;
    return u;
}

void clv_units_free(clv_units *u)
{
    if (!u) return;
    for (size_t i = 0; i < u->n_groups; i++) {
        free(u->groups[i].outputs);
        free(u->groups[i].inputs);
        free(u->groups[i].nodes);
    }
    free(u->groups);
    free(u->info);
    free(u->in_unit);
    clv_graph_free(u->graph);
    if (u->optimised) onnx__model_proto__free_unpacked(u->optimised, &u->budget.allocator);
    free(u);
}

const clv_graph *clv_units_graph(const clv_units *u)
{
    return u->graph;
}
