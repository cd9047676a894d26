#include "graph/leakage.h"

#include "base/mem.h"
#include "base/unit.h"

#include <string.h>

static const char *const names[] = {
#define X(name, text) text,
    CLV_LEAKAGE_MAP(X)
#undef X
};
_Static_assert(CLV_COUNT(names) == CLV_LEAKAGE_COUNT, "a name for each class");

const char *clv_leakage_name(clv_leakage l)
{
    return names[l];
}

/* Operators whose output holds the elements of their inputs, in another shape, order or precision. */
static const char *const rewriting[] = {
    "Identity",  "Dropout",        "Reshape",         "Flatten",      "Squeeze",
    "Unsqueeze", "Transpose",      "Concat",          "DepthToSpace", "SpaceToDepth",
    "Cast",      "QuantizeLinear", "DequantizeLinear"};

static bool rewrites(const clv_unit *u)
{
    for (size_t i = 0; i < CLV_COUNT(rewriting); i++)
        if (strcmp(u->op, rewriting[i]) == 0) return true;
    return false;
}

typedef struct extent {
    int64_t h, w;
} extent;

static int64_t product(const clv_shape *s, int from, int to)
{
    int64_t n = 1;
    for (int i = from; i < to; i++) n *= s->dim[i];
    return n;
}

/* Height and width with the channels where ONNX has them, and with them at the other end. */
static extent onnx_extent(const clv_shape *s)
{
    if (s->rank >= 4) return (extent){s->dim[2], product(s, 3, s->rank)};
    return (extent){s->rank == 3 ? s->dim[1] : s->rank == 2 ? s->dim[0] : 1, 1};
}

static extent other_extent(const clv_shape *s)
{
    if (s->rank >= 4) return (extent){s->dim[1], product(s, 2, s->rank - 1)};
    if (s->rank == 3) return (extent){s->dim[2], 1};
    return onnx_extent(s);
}

static bool has_places(extent e)
{
    return e.h > 1 || e.w > 1;
}

/* The smallest input that is a map, in the reading that has more places; 0 × 0: there is none. */
static extent input_extent(const clv_graph *g)
{
    extent least = {0, 0};
    for (size_t t = 0; t < g->n_tensors; t++) {
        const clv_graph_tensor *tensor = &g->tensors[t];
        if (!tensor->is_input || tensor->shape.rank < 0) continue;
        extent e = onnx_extent(&tensor->shape), o = other_extent(&tensor->shape);
        if (o.h * o.w > e.h * e.w) e = o;
        if (has_places(e) && (least.h == 0 || e.h * e.w < least.h * least.w)) least = e;
    }
    return least;
}

static bool quarter(int64_t part, int64_t whole)
{
    return 4 * (part + 1) >= whole;
}

static bool keeps_quarter(extent e, extent input)
{
    return input.h > 0 && has_places(e) && quarter(e.h, input.h) && quarter(e.w, input.w);
}

static clv_leakage by_geometry(const clv_shape *s, extent input)
{
    if (s->rank < 0) return CLV_LEAKAGE_IMAGE;
    extent e = onnx_extent(s);
    if (keeps_quarter(e, input) || keeps_quarter(other_extent(s), input)) return CLV_LEAKAGE_IMAGE;
    return has_places(e) ? CLV_LEAKAGE_MAP : CLV_LEAKAGE_FEATURES;
}

/* What a unit's outputs tell: by their geometry, and at least what it took in if it only rewrites. */
static clv_leakage made_by(const clv_unit *u, const clv_leakage *of, const clv_shape *s,
                           extent input)
{
    clv_leakage l = by_geometry(s, input);
    for (size_t i = 0; rewrites(u) && i < u->n_inputs; i++) l = CLV_MIN(l, of[u->inputs[i]]);
    return l;
}

void clv_leakage_all(const clv_graph *g, clv_leakage *of)
{
    extent input = input_extent(g);
    for (size_t t = 0; t < g->n_tensors; t++)
        of[t] =
            g->tensors[t].is_input ? CLV_LEAKAGE_INPUT : by_geometry(&g->tensors[t].shape, input);
    for (size_t i = 0; i < g->n_units; i++) { /* in topological order: inputs are done */
        const clv_unit *u = &g->units[i];
        for (size_t k = 0; k < u->n_outputs; k++) {
            int t = u->outputs[k];
            of[t] = made_by(u, of, &g->tensors[t].shape, input);
        }
    }
    for (size_t t = 0; t < g->n_tensors; t++)
        if (g->tensors[t].is_output && !g->tensors[t].is_input && g->tensors[t].n_consumers == 0)
            of[t] = CLV_LEAKAGE_ANSWER;
}

clv_leakage clv_leakage_of(const clv_graph *g, size_t tensor)
{
    CLV_AUTO(clv_free) clv_leakage *of = clv_alloc_array(g->n_tensors, sizeof *of);
    clv_leakage_all(g, of);
    return of[tensor];
}

#define PRIVACY_FORMS                                                                              \
    "a policy is none, or input, class:image, class:map, class:features, class:answer, "           \
    "first:N and tensor:NAME joined by commas"

static clv_status parse_class(const char *name, clv_privacy *out, clv_error *err)
{
    for (int i = 0; i < CLV_LEAKAGE_COUNT; i++) {
        if (strcmp(name, names[i]) != 0) continue;
        out->classes = CLV_MAX(out->classes, i + 1);
        return CLV_OK;
    }
    return clv_fail(err, CLV_EINVAL, "privacy '%.100s': no such leakage class; " PRIVACY_FORMS,
                    name);
}

static clv_status parse_first(const char *text, clv_privacy *out, clv_error *err)
{
    int64_t n;
    if (clv_parse_int(text, &n, err)) return clv_within(err, "privacy 'first:%.40s'", text);
    if (n < 1 || n > CLV_UNITS_MAX)
        return clv_fail(err, CLV_EINVAL, "privacy 'first:%.40s': 1 to %d units can be kept", text,
                        CLV_UNITS_MAX);
    out->first_units = CLV_MAX(out->first_units, (size_t)n);
    return CLV_OK;
}

static clv_status parse_tensor(const char *name, clv_privacy *out, clv_error *err)
{
    if (!*name) return clv_fail(err, CLV_EINVAL, "privacy 'tensor:': the name is missing");
    if (strlen(name) > CLV_PRIVACY_NAME_MAX)
        return clv_fail(err, CLV_ELIMIT,
                        "privacy 'tensor:%.40s...': a name of %zu bytes, at most %d", name,
                        strlen(name), CLV_PRIVACY_NAME_MAX);
    if (out->n_tensors == CLV_PRIVACY_TENSORS_MAX)
        return clv_fail(err, CLV_ELIMIT, "privacy 'tensor:%.100s': more than %d tensors", name,
                        CLV_PRIVACY_TENSORS_MAX);
    memcpy(out->tensors[out->n_tensors++], name, strlen(name) + 1);
    return CLV_OK;
}

static clv_status parse_word(const char *word, clv_privacy *out, clv_error *err)
{
    static const struct {
        const char *prefix;
        clv_status (*parse)(const char *rest, clv_privacy *out, clv_error *err);
    } forms[] = {{"class:", parse_class}, {"first:", parse_first}, {"tensor:", parse_tensor}};
    if (strcmp(word, "input") == 0) return parse_class(word, out, err);
    for (size_t i = 0; i < CLV_COUNT(forms); i++) {
        size_t n = strlen(forms[i].prefix);
        if (strncmp(word, forms[i].prefix, n) == 0) return forms[i].parse(word + n, out, err);
    }
    return clv_fail(err, CLV_EINVAL, "privacy '%.100s': " PRIVACY_FORMS, word);
}

clv_status clv_privacy_parse(const char *text, clv_privacy *out, clv_error *err)
{
    clv_privacy p = {0};
    CLV_AUTO(clv_text_free) char *words = clv_strdup(text);
    bool none = strcmp(text, "none") == 0;
    for (char *word = words, *next = NULL; !none && word; word = next) {
        next = strchr(word, ',');
        if (next) *next++ = 0;
        clv_status s = parse_word(word, &p, err);
        if (s) return s;
    }
    *out = p;
    return CLV_OK;
}

bool clv_privacy_any(const clv_privacy *p)
{
    return p->classes > 0 || p->first_units > 0 || p->n_tensors > 0;
}

clv_status clv_privacy_tensors(const clv_privacy *p, const clv_graph *g, bool *stays,
                               clv_error *err)
{
    if (p->first_units > g->n_units)
        return clv_fail(err, CLV_EINVAL, "privacy 'first:%zu': the network has %zu units",
                        p->first_units, g->n_units);
    for (size_t i = 0; i < p->n_tensors; i++)
        if (clv_graph_tensor_index(g, p->tensors[i]) < 0)
            return clv_fail(err, CLV_ENOTFOUND,
                            "privacy 'tensor:%s': the network has no such tensor", p->tensors[i]);
    CLV_AUTO(clv_free) clv_leakage *of = clv_alloc_array(g->n_tensors, sizeof *of);
    clv_leakage_all(g, of);
    for (size_t t = 0; t < g->n_tensors; t++) stays[t] = (int)of[t] < p->classes;
    for (size_t u = 0; u < p->first_units; u++)
        for (size_t k = 0; k < g->units[u].n_inputs; k++) stays[g->units[u].inputs[k]] = true;
    for (size_t i = 0; i < p->n_tensors; i++)
        stays[clv_graph_tensor_index(g, p->tensors[i])] = true;
    return CLV_OK;
}
