#include "onnx/extract.h"
#include "onnx/extract_priv.h"
#include "onnx/scratch.h"
#include "onnx/skeleton.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct building {
    const clv_selection *s;
    clv_scratch scratch;
    Onnx__ModelProto model;
    Onnx__GraphProto graph;
    bool stand_alone;
} building;

/* ---- inputs and outputs ---- */

static const char *batch_name(const clv_onnx *m)
{
    for (size_t i = 0; i < m->proto->graph->n_input; i++) {
        const Onnx__ValueInfoProto *v = m->proto->graph->input[i];
        if (m->inputs[i].shape.rank < 1 || m->inputs[i].shape.dim[0] >= 0) continue;
        const Onnx__TensorShapeProto__Dimension *d = v->type->tensor_type->shape->dim[0];
        if (d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM && *d->dim_param)
            return d->dim_param;
    }
    return "batch";
}

/* How the model itself declares a value; NULL if it is neither input nor output. */
static Onnx__ValueInfoProto *declared(const clv_onnx *m, const char *name)
{
    const Onnx__GraphProto *g = m->proto->graph;
    for (size_t i = 0; i < g->n_input; i++)
        if (strcmp(g->input[i]->name, name) == 0) return g->input[i];
    for (size_t i = 0; i < g->n_output; i++)
        if (strcmp(g->output[i]->name, name) == 0) return g->output[i];
    return NULL;
}

/* Does the model's own declaration still hold: is free in it only what is free in the segment? */
static bool declaration_holds(const Onnx__ValueInfoProto *own, const clv_value_info *info)
{
    clv_tensor_spec spec;
    clv_spec_read(own, &spec);
    if (spec.shape.rank != info->shape.rank || spec.shape.rank != info->shape_two.rank)
        return spec.shape.rank < 0;
    for (int i = 0; i < spec.shape.rank; i++)
        if (spec.shape.dim[i] < 0 && info->shape.dim[i] >= 0 &&
            info->shape.dim[i] == info->shape_two.dim[i])
            return false;
    return true;
}

static Onnx__ValueInfoProto *describe(building *b, int value)
{
    const clv_units *u = b->s->u;
    const clv_value_info *info = &u->info[value];
    const char *name = u->m->values[value].name;
    Onnx__ValueInfoProto *own = declared(u->m, name);
    if (own && (u->whole || !info->dtype || (b->s->any_batch && declaration_holds(own, info))))
        return own;
    clv_shape shape = info->shape;
    const char *names[CLV_RANK_MAX] = {0};
    for (int i = 0; b->s->any_batch && i < shape.rank; i++) {
        if (shape.dim[i] == info->shape_two.dim[i]) continue;
        if (shape.dim[i] == 1 && info->shape_two.dim[i] == 2) names[i] = batch_name(u->m);
        shape.dim[i] = -1;
    }
    return clv_scratch_value(&b->scratch, name, info->dtype, &shape, names);
}

/* The network's own first, in the model's order; then in the order of the graph's tensors. */
static void fill_ports(building *b, const bool *flags, Onnx__ValueInfoProto ***list, size_t *n)
{
    const clv_units *u = b->s->u;
    Onnx__ValueInfoProto **own = *list;
    size_t n_own = *n;
    *list = clv_scratch_alloc(&b->scratch, n_own + u->graph->n_tensors, sizeof **list);
    *n = 0;
    CLV_AUTO(clv_free) bool *done = clv_alloc_array(u->m->n_values, 1);
    for (size_t i = 0; i < n_own + u->graph->n_tensors; i++) {
        const char *name = i < n_own ? own[i]->name : u->graph->tensors[i - n_own].name;
        int value = clv_names_get(&u->m->value_of, name);
        if (!flags[value] || done[value]) continue;
        done[value] = true;
        (*list)[(*n)++] = describe(b, value);
    }
}

/* ---- content ---- */

static void fill_nodes(building *b)
{
    const clv_onnx *m = b->s->u->m;
    const Onnx__GraphProto *g = m->proto->graph;
    b->graph.node = clv_scratch_alloc(&b->scratch, g->n_node, sizeof *b->graph.node);
    b->graph.n_node = 0;
    for (size_t i = 0; i < g->n_node; i++)
        if (b->s->needed[m->order[i]]) b->graph.node[b->graph.n_node++] = g->node[m->order[i]];
}

/* A stand-alone model holds its weights: `raw_data` points into the map and is copied only when it is written. */
static Onnx__TensorProto *with_data(building *b, Onnx__TensorProto *t)
{
    if (!b->stand_alone || !clv_tensor_is_external(t)) return t;
    Onnx__TensorProto *inside = clv_scratch_copy(&b->scratch, t, sizeof *t);
    inside->n_external_data = 0;
    inside->has_data_location = 0;
    inside->has_raw_data = 1;
    size_t bytes = 0;
    const void *data = clv_onnx_external(b->s->u->m, t, &bytes);
    inside->raw_data = (ProtobufCBinaryData){.len = bytes, .data = (uint8_t *)(uintptr_t)data};
    return inside;
}

static void fill_constants(building *b)
{
    const clv_units *u = b->s->u;
    const Onnx__GraphProto *g = u->m->proto->graph;
    b->graph.initializer =
        clv_scratch_alloc(&b->scratch, u->m->n_values, sizeof *b->graph.initializer);
    b->graph.sparse_initializer = clv_scratch_alloc(&b->scratch, g->n_sparse_initializer,
                                                    sizeof *b->graph.sparse_initializer);
    b->graph.n_initializer = b->graph.n_sparse_initializer = 0;
    for (size_t i = 0; i < u->m->n_values; i++) {
        const clv_value *v = &u->m->values[i];
        if (b->s->folded[i])
            b->graph.initializer[b->graph.n_initializer++] =
                (Onnx__TensorProto *)(uintptr_t)u->info[i].folded;
        if (v->kind != CLV_VALUE_INITIALIZER || !b->s->met[i]) continue;
        if ((size_t)v->source < g->n_initializer)
            b->graph.initializer[b->graph.n_initializer++] =
                with_data(b, g->initializer[v->source]);
        else
            b->graph.sparse_initializer[b->graph.n_sparse_initializer++] =
                g->sparse_initializer[(size_t)v->source - g->n_initializer];
    }
}

static void fill_annotations(building *b)
{
    const clv_units *u = b->s->u;
    const Onnx__GraphProto *g = u->m->proto->graph;
    b->graph.quantization_annotation = clv_scratch_alloc(&b->scratch, g->n_quantization_annotation,
                                                         sizeof *b->graph.quantization_annotation);
    b->graph.n_quantization_annotation = 0;
    for (size_t i = 0; i < g->n_quantization_annotation; i++) {
        const char *name = g->quantization_annotation[i]->tensor_name;
        int value = name ? clv_names_get(&u->m->value_of, name) : -1;
        if (value >= 0 && b->s->met[value])
            b->graph.quantization_annotation[b->graph.n_quantization_annotation++] =
                g->quantization_annotation[i];
    }
}

static void build(building *b)
{
    const clv_units *u = b->s->u;
    b->model = *u->m->proto;
    b->graph = *u->m->proto->graph;
    b->model.graph = &b->graph;
    b->model.n_training_info = 0;
    b->graph.n_value_info = 0;
    fill_ports(b, b->s->input, &b->graph.input, &b->graph.n_input);
    fill_ports(b, b->s->wanted, &b->graph.output, &b->graph.n_output);
    fill_nodes(b);
    fill_constants(b);
    fill_annotations(b);
}

/* The whole model needs no selection: everything goes, as it is. */
static clv_status select_all(clv_selection *s, const clv_units *u, const clv_cuts *cuts,
                             size_t from, size_t to, clv_error *err)
{
    if (!u->whole) return clv_selection_make(s, u, cuts, from, to, err);
    if (from != 0 || to + 1 != cuts->n || from == to)
        return clv_fail(err, CLV_EINVAL,
                        "segment from cut %zu to cut %zu: this model can only run whole", from, to);
    const Onnx__GraphProto *g = u->m->proto->graph;
    *s = (clv_selection){.u = u, .any_batch = clv_onnx_has_batch(u->m)};
    s->needed = clv_alloc_array(g->n_node, 1);
    s->met = clv_alloc_array(u->m->n_values, 1);
    s->input = clv_alloc_array(u->m->n_values, 1);
    s->wanted = clv_alloc_array(u->m->n_values, 1);
    s->folded = clv_alloc_array(u->m->n_values, 1);
    memset(s->needed, true, g->n_node);
    memset(s->met, true, u->m->n_values);
    for (size_t i = 0; i < g->n_input; i++)
        s->input[clv_names_get(&u->m->value_of, g->input[i]->name)] = true;
    for (size_t i = 0; i < g->n_output; i++)
        s->wanted[clv_names_get(&u->m->value_of, g->output[i]->name)] = true;
    return CLV_OK;
}

/* ---- bytes ---- */

static void list_stored(const clv_selection *s, clv_extracted *out)
{
    const clv_onnx *m = s->u->m;
    out->stored = clv_alloc_array(m->n_stored, sizeof *out->stored);
    for (size_t i = 0; i < m->n_stored; i++)
        if (s->met[clv_names_get(&m->value_of, m->stored[i].name)])
            out->stored[out->n_stored++] = m->stored[i];
}

clv_status clv_extract(const clv_units *u, const clv_cuts *cuts, size_t from, size_t to,
                       clv_extracted *out, clv_error *err)
{
    clv_selection s;
    clv_status status = select_all(&s, u, cuts, from, to, err);
    if (status) return status;
    building b = {.s = &s};
    build(&b);
    clv_extracted e = {.any_batch = s.any_batch};
    status = clv_scratch_pack(&b.model, &e.bytes, &e.n, err);
    if (!status) {
        list_stored(&s, &e);
        *out = e;
    }
    clv_scratch_done(&b.scratch);
    clv_selection_done(&s);
    return status;
}

void clv_extracted_done(clv_extracted *e)
{
    free(e->bytes);
    free(e->stored);
    *e = (clv_extracted){0};
}

/* ---- a file ---- */

typedef struct file_sink {
    ProtobufCBuffer base;
    FILE *file;
} file_sink;

static void append(ProtobufCBuffer *base, size_t n, const uint8_t *data)
{
    file_sink *sink = (file_sink *)base;
    if (n && fwrite(data, 1, n, sink->file) != n) { /* ferror() remembers */
    }
}

static clv_status write_file(const Onnx__ModelProto *model, const char *path, clv_error *err)
{
    if (onnx__model_proto__get_packed_size(model) > CLV_ONNX_FILE_BYTES_MAX)
        return clv_fail(err, CLV_ELIMIT, "'%s' would be larger than an ONNX file can be (2 GiB)",
                        path);
    CLV_AUTO(clv_text_free) char *beside = clv_format("%s.%ld.part", path, (long)getpid());
    file_sink sink = {.base.append = append, .file = fopen(beside, "wb")};
    if (!sink.file) return clv_fail_errno(err, "'%s'", beside);
    onnx__model_proto__pack_to_buffer(model, &sink.base);
    bool bad = fflush(sink.file) || ferror(sink.file) || fsync(fileno(sink.file));
    clv_status status = bad ? clv_fail_errno(err, "'%s'", beside) : CLV_OK;
    if (fclose(sink.file) && !status) status = clv_fail_errno(err, "'%s'", beside);
    if (!status && rename(beside, path)) status = clv_fail_errno(err, "'%s'", path);
    if (status) unlink(beside);
    return status;
}

clv_status clv_extract_file(const clv_units *u, const clv_cuts *cuts, size_t from, size_t to,
                            const char *path, clv_error *err)
{
    clv_selection s;
    clv_status status = select_all(&s, u, cuts, from, to, err);
    if (status) return status;
    building b = {.s = &s, .stand_alone = true};
    build(&b);
    status = write_file(&b.model, path, err);
    clv_scratch_done(&b.scratch);
    clv_selection_done(&s);
    return status;
}
