#include "cli/layer_study.h"

#include "base/unit.h"
#include "cli/chart.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t *clv_layer_cut_bytes(const clv_graph *g)
{
    size_t *bytes = clv_alloc_array(g->n_units, sizeof *bytes);
    for (size_t t = 0; t < g->n_tensors; t++) {
        const clv_graph_tensor *x = &g->tensors[t];
        if (x->n_consumers == 0) continue;
        size_t from = x->producer == CLV_NO_UNIT ? 0 : (size_t)x->producer;
        size_t to = (size_t)x->consumers[x->n_consumers - 1]; /* ascending: the last to need it */
        for (size_t u = from; u < to; u++) bytes[u] += x->bytes;
    }
    return bytes;
}

/* A field in quotes, as names may hold commas; quotes inside are doubled (RFC 4180). */
static void add_quoted(clv_buf *out, const char *text)
{
    clv_buf_char(out, '"');
    for (; *text; text++) {
        if (*text == '"') clv_buf_char(out, '"');
        clv_buf_char(out, *text);
    }
    clv_buf_char(out, '"');
}

void clv_layer_csv(clv_buf *out, const clv_network *network, const clv_profile *p, bool timed)
{
    CLV_AUTO(clv_free) size_t *cut_bytes = clv_layer_cut_bytes(clv_network_graph(network));
    clv_buf_printf(out, "unit,op,shape,output_bytes,macs,params,%scut_bytes\n",
                   timed ? "us,cumulative_us," : "");
    double sum_us = 0;
    for (size_t i = 0; i < p->n_units; i++) {
        const clv_profile_unit *u = &p->units[i];
        const char *texts[] = {u->name, u->op, u->shape};
        for (size_t k = 0; k < CLV_COUNT(texts); k++) {
            add_quoted(out, texts[k]);
            clv_buf_char(out, ',');
        }
        clv_buf_printf(out, "%zu,%llu,%llu,", u->output_bytes, (unsigned long long)u->macs,
                       (unsigned long long)u->params);
        sum_us += u->us;
        if (timed) clv_buf_printf(out, "%.3f,%.3f,", u->us, sum_us);
        clv_buf_printf(out, "%zu\n", cut_bytes[i]);
    }
}

/* What a bar's colour says. */
static const char *const families[] = {"convolution", "dense", "pooling", "other"};
enum { CONV, DENSE, POOL, OTHER };

static int family(const char *op)
{
    if (strstr(op, "Conv")) return CONV;
    if (strstr(op, "Gemm") || strstr(op, "MatMul") || strstr(op, "Attention")) return DENSE;
    if (strstr(op, "Pool")) return POOL;
    return OTHER;
}

/* "7 Conv+BN+Relu": an operator's name short enough for an axis. */
static char *short_label(size_t number, const char *op)
{
    static const char longest[] = "BatchNormalization";
    const char *norm = strstr(op, longest);
    if (!norm) return clv_format("%zu %.18s", number, op);
    int head = (int)CLV_MIN(norm - op, 12);
    return clv_format("%zu %.*sBN%.8s", number, head, op, norm + sizeof longest - 1);
}

/* The columns of the chart, one a unit. */
typedef struct columns {
    char **labels;
    double *top, *size, *cut;
    int *kinds;
    size_t n;
} columns;

static void columns_done(columns *c)
{
    for (size_t i = 0; i < c->n; i++) free(c->labels[i]);
    free(c->labels);
    free(c->top);
    free(c->size);
    free(c->cut);
    free(c->kinds);
}

static columns columns_of(const clv_network *network, const clv_profile *p, bool timed)
{
    size_t n = p->n_units;
    CLV_AUTO(clv_free) size_t *cut_bytes = clv_layer_cut_bytes(clv_network_graph(network));
    columns c = {.labels = clv_alloc_array(n, sizeof *c.labels),
                 .top = clv_alloc_array(n, sizeof *c.top),
                 .size = clv_alloc_array(n, sizeof *c.size),
                 .cut = clv_alloc_array(n, sizeof *c.cut),
                 .kinds = clv_alloc_array(n, sizeof *c.kinds),
                 .n = n};
    for (size_t i = 0; i < n; i++) {
        const clv_profile_unit *u = &p->units[i];
        c.labels[i] = short_label(i + 1, u->op);
        c.top[i] = timed ? u->us / 1000 : (double)u->macs / 1e6;
        c.size[i] = (double)u->output_bytes / 1000;
        c.cut[i] = (double)cut_bytes[i] / 1000;
        c.kinds[i] = family(u->op);
    }
    return c;
}

static size_t input_bytes(const clv_graph *g)
{
    size_t bytes = 0;
    for (size_t t = 0; t < g->n_tensors; t++)
        if (g->tensors[t].is_input) bytes += g->tensors[t].bytes;
    return bytes;
}

void clv_layer_svg(clv_buf *out, const clv_network *network, const clv_profile *p, bool timed)
{
    const clv_graph *g = clv_network_graph(network);
    CLV_AUTO(columns_done) columns c = columns_of(network, p, timed);
    char subtitle[256], level[64];
    clv_unit_text whole = clv_show_duration(p->cuts[p->n_cuts - 1].prefix.us);
    snprintf(subtitle, sizeof subtitle, "%zu units, %s parameters, %s MACs%s%s%s%.100s", p->n_units,
             clv_show_count((double)clv_graph_params(g)).s,
             clv_show_count((double)clv_graph_macs(g)).s, timed ? "; whole network " : "",
             timed ? whole.s : "", timed ? " on " : "", timed ? p->engine : "");
    snprintf(level, sizeof level, "the input, %s", clv_show_size((double)input_bytes(g)).s);
    const clv_chart_panel panels[] = {
        {.title = timed ? "Latency of each unit" : "Work of each unit",
         .unit = timed ? "ms" : "million MACs",
         .values = c.top,
         .kinds = c.kinds,
         .kind_names = families,
         .n_kinds = CLV_COUNT(families)},
        {.title = "Output of each unit",
         .unit = "kB",
         .values = c.size,
         .kind = 4,
         .marks = c.cut,
         .marks_text = "to send when cut here",
         .level = (double)input_bytes(g) / 1000,
         .level_text = level},
    };
    clv_chart_bars(out, &(clv_chart_text){p->model, subtitle}, (const char *const *)c.labels, c.n,
                   panels, CLV_COUNT(panels));
}
