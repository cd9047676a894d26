#include "onnx/onnx.h"
#include "onnx/onnx_priv.h"
#include "onnx/skeleton.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* ---- bounded memory for protobuf-c ---- */

static void *budget_alloc(void *data, size_t bytes)
{
    clv_budget *b = data;
    if (bytes > b->left) return NULL;
    b->left -= bytes;
    return malloc(bytes ? bytes : 1);
}

static void budget_free(void *data, void *p)
{
    (void)data;
    free(p);
}

void clv_budget_init(clv_budget *b, size_t bytes)
{
    *b =
        (clv_budget){.allocator = {.alloc = budget_alloc, .free = budget_free, .allocator_data = b},
                     .left = bytes};
}

/* ---- making it plain ---- */

static void drop_message(clv_onnx *m, void *message)
{
    protobuf_c_message_free_unpacked(message, &m->budget.allocator);
}

/* An input with an initialiser is a constant that could be overridden: nobody does across a cut. */
static void drop_default_inputs(clv_onnx *m)
{
    Onnx__GraphProto *g = m->proto->graph;
    clv_names initializers = {0};
    for (size_t i = 0; i < g->n_initializer; i++)
        if (g->initializer[i]->name) clv_names_set(&initializers, g->initializer[i]->name, (int)i);
    size_t kept = 0;
    for (size_t i = 0; i < g->n_input; i++) {
        bool constant = g->input[i]->name && clv_names_get(&initializers, g->input[i]->name) >= 0;
        if (constant)
            drop_message(m, g->input[i]);
        else
            g->input[kept++] = g->input[i];
    }
    g->n_input = kept;
    clv_names_done(&initializers);
    if (m->proto->ir_version < 4) m->proto->ir_version = 4; /* the first that allows this */
    m->proto->has_ir_version = 1;
}

/* The tensor of a Constant node whose data is a reference; NULL for every other node. */
static Onnx__AttributeProto *large_constant(const Onnx__NodeProto *n)
{
    bool standard = !n->domain || !*n->domain || strcmp(n->domain, "ai.onnx") == 0;
    if (!standard || !n->op_type || strcmp(n->op_type, "Constant") || n->n_output != 1) return NULL;
    for (size_t i = 0; i < n->n_attribute; i++)
        if (n->attribute[i]->t && clv_tensor_is_external(n->attribute[i]->t))
            return n->attribute[i];
    return NULL;
}

static clv_status hoist_constants(clv_onnx *m, clv_error *err)
{
    Onnx__GraphProto *g = m->proto->graph;
    size_t kept = 0, room = 0;
    for (size_t i = 0; i < g->n_node; i++) room += large_constant(g->node[i]) != NULL;
    if (!room) return CLV_OK;
    Onnx__TensorProto **list = m->budget.allocator.alloc(
        &m->budget, (g->n_initializer + room) * sizeof(Onnx__TensorProto *));
    if (!list) return clv_fail(err, CLV_ELIMIT, "too many constants");
    if (g->n_initializer) memcpy(list, g->initializer, g->n_initializer * sizeof *list);
    free(g->initializer);
    g->initializer = list;
    for (size_t i = 0; i < g->n_node; i++) {
        Onnx__AttributeProto *a = large_constant(g->node[i]);
        if (!a) {
            g->node[kept++] = g->node[i];
            continue;
        }
        Onnx__TensorProto *t = clv_steal(&a->t);
        char *name = t->name;
        t->name = g->node[i]->output[0]; /* swapped, so that both messages own one */
        g->node[i]->output[0] = name == protobuf_c_empty_string || !name ? NULL : name;
        if (!g->node[i]->output[0]) g->node[i]->n_output = 0;
        drop_message(m, g->node[i]);
        list[g->n_initializer++] = t;
    }
    g->n_node = kept;
    return CLV_OK;
}

/* ---- declared inputs and outputs ---- */

static void read_dimension(const Onnx__TensorShapeProto__Dimension *d, int64_t *out)
{
    bool fixed =
        d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE && d->dim_value > 0;
    *out = fixed ? d->dim_value : -1;
}

void clv_spec_read(const Onnx__ValueInfoProto *v, clv_tensor_spec *spec)
{
    spec->shape.rank = -1;
    spec->dtype = CLV_DTYPE_NONE;
    if (!v->type || v->type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE) return;
    const Onnx__TypeProto__Tensor *t = v->type->tensor_type;
    spec->dtype = clv_dtype_from_onnx(t->elem_type);
    if (!t->shape || t->shape->n_dim > CLV_RANK_MAX) return;
    spec->shape.rank = (int)t->shape->n_dim;
    for (size_t i = 0; i < t->shape->n_dim; i++)
        read_dimension(t->shape->dim[i], &spec->shape.dim[i]);
}

static clv_status read_specs(Onnx__ValueInfoProto **list, size_t n, const char *what,
                             clv_tensor_spec **out, clv_error *err)
{
    *out = clv_alloc_array(n, sizeof **out);
    for (size_t i = 0; i < n; i++) {
        if (!list[i]->name || !*list[i]->name)
            return clv_fail(err, CLV_EINVAL, "%s %zu has no name", what, i);
        if (strlen(list[i]->name) > CLV_NAME_MAX)
            return clv_fail(err, CLV_ELIMIT, "%s '%.40s...': the name is longer than %d", what,
                            list[i]->name, CLV_NAME_MAX);
        (*out)[i].name = list[i]->name;
        clv_spec_read(list[i], &(*out)[i]);
    }
    return CLV_OK;
}

/* ---- open ---- */

/* Folder and file name, links followed: external data and the engine's checks are relative to the real place. */
static clv_status find_place(clv_onnx *m, const char *path, clv_error *err)
{
    CLV_AUTO(clv_text_free) char *real = realpath(path, NULL);
    if (!real) return clv_fail_errno(err, "model '%s'", path);
    const char *slash = strrchr(real, '/');
    m->file = clv_strdup(slash + 1);
    m->folder = slash == real ? clv_strdup("/") : clv_strndup(real, (size_t)(slash - real));
    clv_grow(&m->files, &m->cap_files, 1, sizeof *m->files);
    m->files[0] = (clv_onnx_file){.location = clv_strdup(m->file), .path = clv_strdup(real)};
    m->n_files = 1;
    return clv_map_open(real, &m->files[0].map, err);
}

static clv_status read_structure(clv_onnx *m, clv_error *err)
{
    const clv_map *map = &m->files[0].map;
    if (!map->bytes) return clv_fail(err, CLV_EINVAL, "the file is empty");
    clv_buf skeleton = {0};
    clv_status status = clv_skeleton_write(map->data, map->bytes, m->file, &skeleton, err);
    if (!status) {
        clv_budget_init(&m->budget, CLV_ONNX_MEMORY_MAX);
        m->proto = onnx__model_proto__unpack(&m->budget.allocator, skeleton.len,
                                             (const uint8_t *)skeleton.data);
        if (!m->proto)
            status =
                clv_fail(err, CLV_ELIMIT, "its structure does not fit into %zu bytes of memory",
                         CLV_ONNX_MEMORY_MAX);
    }
    clv_buf_done(&skeleton);
    if (status) return status;
    const Onnx__GraphProto *g = m->proto->graph;
    if (!g) return clv_fail(err, CLV_EINVAL, "not an ONNX model: it has no graph");
    if (!m->proto->n_opset_import)
        return clv_fail(err, CLV_EINVAL, "not an ONNX model: it imports no operator set");
    if (g->n_node > CLV_ONNX_NODES_MAX)
        return clv_fail(err, CLV_ELIMIT, "%zu nodes, the limit is %d", g->n_node,
                        CLV_ONNX_NODES_MAX);
    if (!g->n_output) return clv_fail(err, CLV_EINVAL, "the graph has no outputs");
    return CLV_OK;
}

static clv_status read_model(clv_onnx *m, clv_error *err)
{
    clv_status status = read_structure(m, err);
    if (!status) drop_default_inputs(m);
    if (!status) status = hoist_constants(m, err);
    if (!status) status = clv_onnx_read_stored(m, err);
    if (status) return status;
    const Onnx__GraphProto *g = m->proto->graph;
    status = read_specs(g->input, g->n_input, "input", &m->inputs, err);
    if (!status) status = read_specs(g->output, g->n_output, "output", &m->outputs, err);
    return status ? status : clv_onnx_read_values(m, err);
}

clv_status clv_onnx_open(const char *path, clv_onnx **out, clv_error *err)
{
    clv_onnx *m = clv_alloc(sizeof *m);
    clv_status status = find_place(m, path, err);
    if (!status && read_model(m, err)) status = clv_within(err, "model '%s'", path);
    if (status) {
        clv_onnx_free(m);
        return status;
    }
    m->paths = clv_alloc_array(m->n_files, sizeof *m->paths);
    for (size_t i = 0; i < m->n_files; i++) m->paths[i] = m->files[i].path;
    *out = m;
    return CLV_OK;
}

void clv_onnx_free(clv_onnx *m)
{
    if (!m) return;
    size_t n_nodes = m->nodes ? m->proto->graph->n_node : 0;
    for (size_t i = 0; i < n_nodes; i++) {
        free(m->nodes[i].inputs);
        free(m->nodes[i].outputs);
    }
    free(m->nodes);
    free(m->order);
    free(m->values);
    clv_names_done(&m->value_of);
    free(m->inputs);
    free(m->outputs);
    free(m->stored);
    if (m->proto) drop_message(m, m->proto);
    for (size_t i = 0; i < m->n_files; i++) {
        free(m->files[i].location);
        free(m->files[i].path);
        clv_map_done(&m->files[i].map);
    }
    free(m->files);
    free(m->paths);
    free(m->folder);
    free(m->file);
    free(m);
}

void clv_onnx_digest(const clv_onnx *m, char text[CLV_DIGEST_TEXT])
{
    clv_digest *d = clv_digest_new();
    for (size_t i = 0; i < m->n_files; i++)
        clv_digest_add(d, m->files[i].map.data, m->files[i].map.bytes);
    clv_digest_end(d, text);
}

const char *const *clv_onnx_files(const clv_onnx *m, size_t *n)
{
    *n = m->n_files;
    return m->paths;
}

const char *clv_onnx_folder(const clv_onnx *m)
{
    return m->folder;
}

const clv_tensor_spec *clv_onnx_inputs(const clv_onnx *m, size_t *n)
{
    *n = m->proto->graph->n_input;
    return m->inputs;
}

const clv_tensor_spec *clv_onnx_outputs(const clv_onnx *m, size_t *n)
{
    *n = m->proto->graph->n_output;
    return m->outputs;
}

const clv_stored *clv_onnx_stored(const clv_onnx *m, size_t *n)
{
    *n = m->n_stored;
    return m->stored;
}

void clv_onnx_drop_pages(const clv_onnx *m)
{
    for (size_t i = 0; i < m->n_files; i++) {
        void *data = (void *)(uintptr_t)m->files[i].map.data;
        if (data) madvise(data, m->files[i].map.bytes, MADV_DONTNEED); /* a hint: failing is fine */
    }
}
